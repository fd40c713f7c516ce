//! A cursor over the bytes of a reply. Running out of bytes is a failed test.

/// The bytes that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .unwrap_or_else(|| panic!("{length} bytes wanted, {} left: {:02X?}", self.0.len(), self.0));
        self.0 = rest;
        taken
    }

    /// The next `length` bytes as a reader of their own.
    pub(super) fn part(&mut self, length: usize) -> Reader<'a> {
        Reader(self.bytes(length))
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        self.bytes(self.0.len())
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).try_into().expect("N bytes were taken")
    }

    pub(super) fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(super) fn i32(&mut self) -> i32 {
        i32::from_le_bytes(self.array())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// An unsigned little-endian number of up to 16 bytes.
    pub(super) fn unsigned(&mut self, length: usize) -> u128 {
        self.bytes(length).iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte))
    }

    /// A signed little-endian number of 1 to 8 bytes.
    pub(super) fn signed(&mut self, length: usize) -> i64 {
        let bytes = self.bytes(length);
        let sign = if bytes[length - 1] & 0x80 == 0 { 0 } else { -1 };
        bytes.iter().rev().fold(sign, |number, byte| number << 8 | i64::from(*byte))
    }

    /// Text of so many UTF-16 units.
    pub(super) fn utf16(&mut self, units: usize) -> String {
        utf16(self.bytes(units * 2))
    }

    /// `B_VARCHAR`: a byte of length, then UTF-16.
    pub(super) fn short_text(&mut self) -> String {
        let units = usize::from(self.u8());
        self.utf16(units)
    }

    /// `US_VARCHAR`: two bytes of length, then UTF-16.
    pub(super) fn long_text(&mut self) -> String {
        let units = usize::from(self.u16());
        self.utf16(units)
    }
}

/// UTF-16LE as text; half a pair becomes U+FFFD.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
