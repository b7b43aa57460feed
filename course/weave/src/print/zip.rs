//! How are files put into one, as ZIP has it? Without compression: text for readers is small, and any program can look in.
//!
//! PKWARE's APPNOTE 6.3.3, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end).

/// An archive that is being written.
#[derive(Default)]
pub struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

/// 1 January 1980, the first that ZIP knows: the same book is the same file.
const DATE: u16 = 0x21;
/// Names are UTF-8.
const UTF_8: u16 = 1 << 11;

impl Zip {
    /// Adds a file. All of them together must stay below 4 GiB, and 65,535.
    pub fn add(&mut self, name: &str, data: &[u8]) {
        let offset = self.bytes.len() as u32;
        let mut shared = Vec::new();
        // Version, flags, method (stored), time, date.
        for number in [10, UTF_8, 0, 0, DATE] {
            shared.extend(number.to_le_bytes());
        }
        let size = data.len() as u32;
        for number in [crc_32(data), size, size] {
            shared.extend(number.to_le_bytes());
        }
        shared.extend((name.len() as u16).to_le_bytes());
        shared.extend([0, 0]);
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&shared);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(data);
        self.directory.extend(b"PK\x01\x02\x0a\x00");
        self.directory.extend(&shared);
        // Comment's length, disk, attributes inside and outside.
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count += 1;
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        let (start, size) = (self.bytes.len() as u32, self.directory.len() as u32);
        self.bytes.append(&mut self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        for _ in 0..2 {
            self.bytes.extend(self.count.to_le_bytes());
        }
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(start.to_le_bytes());
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

/// The checksum of IEEE 802.3, bit by bit.
fn crc_32(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_that_everybody_has() {
        assert_eq!(crc_32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn python_reads_it() {
        let mut zip = Zip::default();
        zip.add("mimetype", b"application/epub+zip");
        zip.add("a/书.txt", "字".as_bytes());
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("a.zip");
        std::fs::write(&file, zip.finish()).expect("written");
        let code = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(z.namelist(), z.read('a/书.txt').decode())";
        let Ok(ran) = std::process::Command::new("python3")
            .args(["-c", code])
            .arg(&file)
            .output()
        else {
            return;
        };
        assert_eq!(
            String::from_utf8_lossy(&ran.stdout).trim(),
            "['mimetype', 'a/书.txt'] 字",
            "{ran:?}"
        );
    }
}
