//! PRELOGIN (2.2.6.5): version and encryption, before anything else.

use super::{ProtocolError, reader::Reader};

const TERMINATOR: u8 = 0xFF;
/// 16.0.1000, the version that [`super::login::SERVER_VERSION`] repeats.
const VERSION: [u8; 6] = [16, 0, 0x03, 0xE8, 0, 0];

/// `ENCRYPTION` as a client asks for it and as a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// The login only.
    Login = 0,
    /// Everything.
    On = 1,
    /// Nothing, for want of a certificate.
    NotSupported = 2,
    /// Everything, or no connection.
    Required = 3,
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
        if option == 1 {
            let byte = body.get(offset).ok_or(ProtocolError::Truncated { field: "PRELOGIN encryption" })?;
            return match byte & 0x0F {
                0 => Ok(Encryption::Login),
                1 => Ok(Encryption::On),
                2 => Ok(Encryption::NotSupported),
                3 => Ok(Encryption::Required),
                other => {
                    Err(ProtocolError::Invalid { field: "PRELOGIN encryption", found: other.to_string() })
                }
            };
        }
    }
}

/// The answer's body.
pub fn answer(encryption: Encryption) -> Vec<u8> {
    let options: [(u8, &[u8]); 5] = [(0, &VERSION), (1, &[encryption as u8]), (2, &[0]), (3, &[]), (4, &[0])];
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
