//! PRELOGIN (2.2.6.5): version and encryption, before anything else.

use super::{ProtocolError, reader::Reader};

const TERMINATOR: u8 = 0xFF;
const ENCRYPTION_OPTION: u8 = 1;
/// The low bits of `ENCRYPTION`; the others ask for a client certificate, which this server never wants.
const ENCRYPTION_BITS: u8 = 0x0F;
/// 16.0.1000, the version that [`super::login::SERVER_VERSION`] repeats.
const VERSION: [u8; 6] = [16, 0, 0x03, 0xE8, 0, 0];

/// `ENCRYPTION` as a client asks for it and as a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// The login only.
    Off = 0,
    /// Everything.
    On = 1,
    /// Nothing, for want of a certificate.
    NotSupported = 2,
    /// Everything, or no connection.
    Required = 3,
}

impl Encryption {
    fn from_byte(byte: u8) -> Result<Self, ProtocolError> {
        Ok(match byte & ENCRYPTION_BITS {
            0 => Self::Off,
            1 => Self::On,
            2 => Self::NotSupported,
            3 => Self::Required,
            other => {
                return Err(ProtocolError::Invalid {
                    field: "PRELOGIN encryption",
                    found: other.to_string(),
                });
            }
        })
    }
}

/// What a server does about encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It has no certificate.
    Unavailable,
    /// It encrypts what the client wants to be encrypted, the login at least.
    Available,
    /// It encrypts everything.
    Forced,
}

/// What of a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    Nothing,
    /// The LOGIN7 message.
    Login,
    /// Everything after PRELOGIN.
    Everything,
}

/// The server's answer to what the client asks for, and what follows from the two; None is the end of the connection.
pub fn negotiate(asked: Encryption, policy: Policy) -> (Encryption, Option<Protection>) {
    use Encryption::{NotSupported, Off, On, Required};
    match (asked, policy) {
        (Off | NotSupported, Policy::Unavailable) | (NotSupported, Policy::Available) => {
            (NotSupported, Some(Protection::Nothing))
        }
        (Off, Policy::Available) => (Off, Some(Protection::Login)),
        (Off, Policy::Forced) => (Required, Some(Protection::Everything)),
        (On | Required, Policy::Available | Policy::Forced) => (On, Some(Protection::Everything)),
        (On | Required, Policy::Unavailable) => (NotSupported, None),
        (NotSupported, Policy::Forced) => (Required, None),
    }
}

/// What the client asks for.
pub fn requested_encryption(body: &[u8]) -> Result<Encryption, ProtocolError> {
    let mut options = Reader::new(body);
    loop {
        let option = options.u8("PRELOGIN option")?;
        if option == TERMINATOR {
            return Ok(Encryption::NotSupported);
        }
        let offset = usize::from(u16::from_be_bytes(options.array("PRELOGIN offset")?));
        options.u16("PRELOGIN length")?;
        if option == ENCRYPTION_OPTION {
            let byte = body.get(offset).ok_or(ProtocolError::Truncated { field: "PRELOGIN encryption" })?;
            return Encryption::from_byte(*byte);
        }
    }
}

/// The answer's body.
pub fn answer(encryption: Encryption) -> Vec<u8> {
    let options: [(u8, &[u8]); 5] =
        [(0, &VERSION), (ENCRYPTION_OPTION, &[encryption as u8]), (2, &[0]), (3, &[]), (4, &[0])];
    let mut offset = 5 * options.len() + 1;
    let (mut head, mut data) = (Vec::new(), Vec::new());
    for (option, value) in options {
        head.push(option);
        head.extend_from_slice(&u16::try_from(offset).expect("the answer is short").to_be_bytes());
        head.extend_from_slice(&u16::try_from(value.len()).expect("the answer is short").to_be_bytes());
        data.extend_from_slice(value);
        offset += value.len();
    }
    head.push(TERMINATOR);
    head.extend(data);
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of 2.2.6.5, a row per value that the client sends.
    #[test]
    fn encryption_is_negotiated_as_the_specification_tabulates() {
        use Encryption::{NotSupported, Off, On, Required};
        let table = [
            // asked, server OFF, server ON, server NOT_SUP
            (Off, (Off, Some(Protection::Login)), (Required, Some(Protection::Everything)), Some(())),
            (On, (On, Some(Protection::Everything)), (On, Some(Protection::Everything)), None),
            (NotSupported, (NotSupported, Some(Protection::Nothing)), (Required, None), Some(())),
            (Required, (On, Some(Protection::Everything)), (On, Some(Protection::Everything)), None),
        ];
        for (asked, available, forced, unavailable) in table {
            assert_eq!(negotiate(asked, Policy::Available), available, "{asked:?}");
            assert_eq!(negotiate(asked, Policy::Forced), forced, "{asked:?}");
            let clear = unavailable.map(|()| Protection::Nothing);
            assert_eq!(negotiate(asked, Policy::Unavailable), (NotSupported, clear), "{asked:?}");
        }
    }
}
