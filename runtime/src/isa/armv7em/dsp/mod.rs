//! Four rows at once: `SMLAD` multiplies and adds two weights of a word, and shifted left by a byte the two
//! others; `SMMUL` scales a sum. `lstm` and `gru` compute whole steps.

use core::arch::{asm, naked_asm};

/// Multiplies and adds four rows over the next four activations at r1, with the weights at r0: 14
/// instructions for 16 multiply-adds, [`QUAD_BYTES`] of code.
macro_rules! quad {
    () => {
        concat!(
            "ldmia r1!, {{r2, r3}}\n",
            "ldmia r0!, {{r4, r5, r6, r7}}\n",
            row!("r8", "r4"),
            row!("r9", "r5"),
            row!("r10", "r6"),
            row!("r11", "r7"),
        )
    };
}

/// Multiplies and adds four rows over all quads of activations from r1 to `$end`, four to a round. It is
/// entered at the second, third or fourth quad where their number is no multiple of four.
macro_rules! quads {
    ($round:literal, $end:literal) => {
        concat!(
            $round,
            ":\n",
            quad!(),
            quad!(),
            quad!(),
            quad!(),
            "cmp r1, ",
            $end,
            "\n",
            "bne ",
            $round,
            "b\n",
        )
    };
}

/// Bytes of code of [`quad`].
const QUAD_BYTES: usize = 2 + 2 + 4 * (4 + 2 + 4);

/// Computes four pre-activations of a block: four words of start values, four of weights for each quad of the
/// sides, and four multipliers.
///
/// # Safety
/// The block is as long as the sides need, which end with one that ends where it begins; no other is empty.
#[inline(always)]
pub unsafe fn four_rows(block: *const i32, sides: *const ()) -> [i32; 4] {
    let (p0, p1, p2, p3): (i32, i32, i32, i32);
    // SAFETY: as the caller states.
    unsafe {
        asm!(
            "bl {rows}",
            rows = sym rows,
            inout("r0") block => p0, inout("r12") sides => _,
            out("r1") p1, out("r2") p2, out("r3") p3, out("lr") _,
            options(readonly),
        );
    }
    [p0, p1, p2, p3]
}

/// Computes four pre-activations.
///
/// In: r0 the block, r12 the sides, up to one that ends where it begins. Out: r0 to r3; r12 and lr are lost.
/// Reads 4 words of start values, 4 of weights for each quad of activations, and 4 multipliers. All are
/// aligned to 4, as LDM needs.
#[unsafe(naked)]
unsafe extern "C" fn rows() {
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}",
        "ldmia r0!, {{r8-r11}}",
        "2:",
        "ldmia r12!, {{r1, lr}}",
        "subs r2, lr, r1",
        "beq 5f",
        // The number of quads modulo 4 selects the entry, in half-words behind the table.
        "ubfx r2, r2, #3, #2",
        "tbb [pc, r2]",
        "4:",
        ".byte 2",
        ".byte 2 + 3 * {quad} / 2",
        ".byte 2 + 2 * {quad} / 2",
        ".byte 2 + {quad} / 2",
        quads!("3", "lr"),
        "b 2b",
        "5:",
        "ldmia r0!, {{r2, r3, r4, r5}}",
        "smmul r0, r8, r2",
        "smmul r1, r9, r3",
        "smmul r2, r10, r4",
        "smmul r3, r11, r5",
        "pop {{r4-r11, pc}}",
        quad = const QUAD_BYTES,
    )
}

/// Computes tanh of `$p`, with the table at r8; r6 and r7 are lost. See
/// [`tanh`](crate::isa::tanh::int::tanh).
macro_rules! tanh {
    ($p:literal) => {
        concat!(
            "ssat r6, #20, ",
            $p,
            "\n",
            "eor r6, r6, ",
            $p,
            ", asr #31\n",
            "ubfx r7, r6, #10, #9\n",
            "bfc r6, #10, #22\n",
            "ldr r7, [r8, r7, lsl #2]\n",
            "smlabb r7, r6, r7, r7\n",
            "eor ",
            $p,
            ", r7, ",
            $p,
            ", asr #31\n",
        )
    };
}

/// Puts into `$to` the address of the entry of the rounds at label `$round` for the quads from `$from` to
/// `$end`; lr is lost.
macro_rules! entry {
    ($to:literal, $from:literal, $end:literal, $round:literal) => {
        concat!(
            "sub ",
            $to,
            ", ",
            $from,
            ", ",
            $end,
            "\n",
            "ubfx ",
            $to,
            ", ",
            $to,
            ", #3, #2\n",
            "mov lr, #{quad}\n",
            "mul ",
            $to,
            ", ",
            $to,
            ", lr\n",
            "adr.w lr, ",
            $round,
            "f\n",
            "add ",
            $to,
            ", ",
            $to,
            ", lr\n",
            "orr ",
            $to,
            ", ",
            $to,
            ", #1\n",
        )
    };
}

/// Returns `2^by`: a product with it, rounded, is [`shr_round`](crate::isa::shr_round) by `32 - by`.
#[inline(always)]
fn power(by: u32) -> i32 {
    1i32.wrapping_shl(by)
}

mod gru;
mod lstm;

pub use gru::gru;
pub use lstm::lstm;
