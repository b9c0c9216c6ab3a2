//! What a chip needs to start an image, checked in the linked image: it lies in the chip's memories, and the
//! vector table or the blocks that the boot ROM reads are where they must be.

use anyhow::{Context, Result, ensure};
use object::{File, Object, ObjectSection, ObjectSymbol, SectionFlags, elf};
use xtask::boards::Region;

use crate::kits::{Kit, Start};

/// Checks an image of a board.
pub fn check(kit: &Kit, image: &[u8]) -> Result<()> {
    let file = File::parse(image).context("not an ELF file")?;
    check_memory(&file, kit.memory)?;
    match kit.start {
        Start::Vectors(at) => check_vectors(&file, kit.memory, at),
        Start::Rp2040 => {
            check_second_stage(section(&file, ".boot2", 0x1000_0000)?)?;
            check_vectors(&file, kit.memory, 0x1000_0100)
        }
        Start::Rp2350 => {
            let vectors = file.section_by_name(".vector_table").context("no vector table")?.size();
            check_definition(section(&file, ".start_block", 0x1000_0000 + vectors)?, vectors)?;
            check_vectors(&file, kit.memory, 0x1000_0000)
        }
        Start::Esp32C3 => {
            // A header of 24 bytes and one of 8 lie before them in the file that is flashed.
            check_description(section(&file, ".flash.appdesc", 0x3c00_0020)?)?;
            check_traps(&file)
        }
    }
}

/// Returns the content of a section, which is at this address.
fn section<'d>(file: &File<'d>, name: &str, at: u64) -> Result<&'d [u8]> {
    let section = file.section_by_name(name).with_context(|| format!("the image has no {name}"))?;
    ensure!(section.address() == at, "{name} is at {:#x}, not {at:#x}", section.address());
    Ok(section.data()?)
}

/// Fails if a section of the running program lies outside of the memories.
fn check_memory(file: &File, memory: &[Region]) -> Result<()> {
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
        if sh_flags & u64::from(elf::SHF_ALLOC) == 0 || section.size() == 0 {
            continue;
        }
        let (from, to) = (section.address(), section.address() + section.size());
        let is_inside = memory.iter().any(|region| {
            let origin = u64::from(region.origin);
            from >= origin && to <= origin + u64::from(region.length)
        });
        let name = section.name().unwrap_or_default();
        ensure!(is_inside, "{name}, {from:#x} to {to:#x}, is in no memory of the chip");
    }
    Ok(())
}

/// Fails if the vector table is not where the core looks for it, its stack pointer is not in RAM, or its
/// entry is no Thumb code of the image.
fn check_vectors(file: &File, memory: &[Region], at: u64) -> Result<()> {
    let table = section(file, ".vector_table", at)?;
    let (stack, entry) = (word(table, 0)?, word(table, 1)?);
    let is_in_ram = memory[1..].iter().any(|ram| stack > ram.origin && stack <= ram.origin + ram.length);
    ensure!(is_in_ram && stack % 8 == 0, "the stack pointer starts at {stack:#x}");
    let code = file.section_by_name(".text").context("no code")?;
    let is_in_code = (code.address()..code.address() + code.size()).contains(&u64::from(entry & !1));
    ensure!(entry & 1 == 1 && is_in_code, "the entry, {entry:#x}, is not Thumb code of the image");
    Ok(())
}

/// Fails if the CRC of the RP2040's second stage, its last word, is wrong (data sheet, 2.8.1.3.1).
fn check_second_stage(stage: &[u8]) -> Result<()> {
    ensure!(stage.len() == 256, "the second stage is {} bytes, not 256", stage.len());
    let (code, found, expected) = (&stage[..252], word(stage, 63)?, crc_32_mpeg_2(&stage[..252]));
    ensure!(code.iter().any(|byte| *byte != 0), "the second stage is empty");
    ensure!(found == expected, "the second stage has the CRC {found:#x}, not {expected:#x}");
    Ok(())
}

/// Fails if the RP2350's image definition is not a block of a program for the Arm cores, secure, that links
/// to itself (data sheet, 5.9.5.1), in the first 4 KB.
fn check_definition(block: &[u8], offset: u64) -> Result<()> {
    let words: Vec<u32> = (0..5).map(|i| word(block, i)).collect::<Result<_>>()?;
    ensure!(words[0] == 0xffff_ded3 && words[4] == 0xab12_3579, "no marks around the image definition");
    ensure!(words[1] == 0x1021_0142, "the image definition is {:#x}", words[1]);
    ensure!(words[2] == 0x1ff && words[3] == 0, "the image definition has no end, or links to another");
    ensure!(offset + 20 <= 4096, "the image definition is at {offset:#x}, beyond 4 KB");
    Ok(())
}

/// Fails if the ESP32-C3's description of the program has no mark or is for no chip.
fn check_description(description: &[u8]) -> Result<()> {
    ensure!(description.len() == 256, "the description is {} bytes, not 256", description.len());
    ensure!(word(description, 0)? == 0xabcd_5432, "no mark of a description");
    let chips = word(description, 44)?;
    ensure!(chips & 0xffff < chips >> 16, "the description is for no chip");
    Ok(())
}

/// Fails if the table of traps of the ESP32-C3 is not in RAM, on a multiple of 256, or the entry is no code.
fn check_traps(file: &File) -> Result<()> {
    let table = file.symbols().find(|symbol| symbol.name() == Ok("_vector_table"));
    let at = table.context("no table of traps")?.address();
    ensure!(at % 256 == 0 && (0x4038_0000..0x403e_0000).contains(&at), "the table of traps is at {at:#x}");
    let code = file.section_by_name(".text").context("no code")?;
    let entry = file.entry();
    ensure!((code.address()..code.address() + code.size()).contains(&entry), "the entry is {entry:#x}");
    Ok(())
}

fn word(bytes: &[u8], number: usize) -> Result<u32> {
    let word = bytes.get(4 * number..4 * number + 4).context("a table that is too short")?;
    Ok(u32::from_le_bytes(word.try_into()?))
}

/// Returns the CRC-32/MPEG-2: the polynomial 0x04c11db7 from the highest bit on, started with ones.
fn crc_32_mpeg_2(bytes: &[u8]) -> u32 {
    let shift = |crc: u32, _| if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
    bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte) << 24, shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_that_of_the_standard() {
        // The check value of CRC-32/MPEG-2 in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc_32_mpeg_2(b"123456789"), 0x0376_e6e7);
    }

    #[test]
    fn a_damaged_second_stage_is_rejected() {
        let mut stage = [7; 256];
        let crc = crc_32_mpeg_2(&stage[..252]);
        stage[252..].copy_from_slice(&crc.to_le_bytes());
        check_second_stage(&stage).unwrap();
        stage[100] ^= 1;
        assert!(check_second_stage(&stage).unwrap_err().to_string().contains("CRC"));
        assert!(check_second_stage(&stage[1..]).is_err());
    }

    #[test]
    fn an_image_definition_of_another_kind_or_place_is_rejected() {
        let block = |words: [u32; 5]| words.map(u32::to_le_bytes).concat();
        let good = [0xffff_ded3, 0x1021_0142, 0x1ff, 0, 0xab12_3579];
        check_definition(&block(good), 0x110).unwrap();
        assert!(check_definition(&block(good), 4080).is_err());
        for (at, value) in [(0, 0), (1, 0x1121_0142), (2, 0x2ff), (3, 4), (4, 0)] {
            let mut words = good;
            words[at] = value;
            assert!(check_definition(&block(words), 0x110).is_err(), "word {at}");
        }
        assert!(check_definition(&[0; 16], 0).is_err());
    }

    #[test]
    fn a_description_without_mark_or_chip_is_rejected() {
        let mut description = [0; 256];
        assert!(check_description(&description).is_err());
        description[..4].copy_from_slice(&0xabcd_5432u32.to_le_bytes());
        assert!(check_description(&description).unwrap_err().to_string().contains("no chip"));
        description[178..180].fill(0xff);
        check_description(&description).unwrap();
    }

    #[test]
    fn this_very_program_is_in_no_memory_of_a_chip() {
        let image = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for kit in crate::kits::KITS {
            assert!(check(kit, &image).unwrap_err().to_string().contains("in no memory"), "{}", kit.name);
        }
    }
}
