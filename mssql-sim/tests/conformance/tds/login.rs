//! PRELOGIN (2.2.6.5) and LOGIN7 (2.2.6.4).

/// Who logs in, and to what.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    /// Empty for the login's default.
    pub(crate) database: String,
}

/// PRELOGIN of a client without encryption, which a server that does not force it accepts.
pub(super) fn prelogin() -> Vec<u8> {
    const VERSION: [u8; 6] = [16, 0, 0, 0, 0, 0];
    const NOT_SUPPORTED: [u8; 1] = [2];
    let options: [(u8, &[u8]); 2] = [(0, &VERSION), (1, &NOT_SUPPORTED)];
    let mut offset = 5 * options.len() + 1;
    let (mut head, mut data) = (Vec::<u8>::new(), Vec::<u8>::new());
    for (option, value) in options {
        head.push(option);
        head.extend(u16::try_from(offset).expect("short").to_be_bytes());
        head.extend(u16::try_from(value.len()).expect("short").to_be_bytes());
        data.extend(value);
        offset += value.len();
    }
    head.push(0xFF);
    head.extend(data);
    head
}

/// LOGIN7 of TDS 7.4.
pub(super) fn login7(login: &Login, packet_size: u32) -> Vec<u8> {
    const FIXED: usize = 94;
    const OPTION_FLAGS: [u8; 4] = [0xE0, 0x03, 0, 0];
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let password = utf16(&login.password).iter().map(|byte| byte.rotate_left(4) ^ 0xA5).collect();
    let texts = [
        utf16("conformance"),
        utf16(&login.user),
        password,
        utf16("conformance"),
        utf16(&login.host),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        utf16(&login.database),
    ];
    let mut pairs = Vec::new();
    let mut data = Vec::<u8>::new();
    let mut pair = |bytes: &[u8], pairs: &mut Vec<u8>| {
        pairs.extend(u16::try_from(FIXED + data.len()).expect("short").to_le_bytes());
        pairs.extend(u16::try_from(bytes.len() / 2).expect("short").to_le_bytes());
        data.extend(bytes);
    };
    texts.iter().for_each(|text| pair(text, &mut pairs));
    pairs.extend([0; 6]); // client id
    (0..3).for_each(|_| pair(&[], &mut pairs)); // SSPI, file to attach, new password
    pairs.extend([0; 4]); // long SSPI

    let length = u32::try_from(FIXED + data.len()).expect("short");
    let mut body = Vec::new();
    body.extend(length.to_le_bytes());
    body.extend([0x04, 0, 0, 0x74]); // TDS version
    body.extend(packet_size.to_le_bytes());
    body.extend([0; 12]); // client version, process, connection
    body.extend(OPTION_FLAGS);
    body.extend([0; 4]); // time zone
    body.extend([0x09, 0x04, 0, 0]); // locale
    body.extend(pairs);
    body.extend(data);
    body
}
