"""The plugin's reading of AArch64: words as GNU as 2.40 assembles them (-march=armv8.2-a+dotprod+fp16+rcpc+rdma)."""

import ctypes
import os
import shutil

import pytest

from osteo_edge.benchmarks.emulation.plugin import Kind, compiled_plugin

ASSEMBLED = {
    Kind.DOT_PRODUCT: """
        4e829420 sdot v0.4s, v1.16b, v2.16b
        2e829420 udot v0.2s, v1.8b, v2.8b
        4fbdebdf sdot v31.4s, v30.16b, v29.4b[3]
        2fa2e020 udot v0.2s, v1.8b, v2.4b[1]
    """,
    Kind.MULTIPLY_ACCUMULATE: """
        4e22cc20 fmla v0.4s, v1.4s, v2.4s
        4ee2cc20 fmls v0.2d, v1.2d, v2.2d
        4fa21830 fmla v16.4s, v1.4s, v2.s[3]
        4fa25030 fmls v16.4s, v1.4s, v2.s[1]
        4fdf1820 fmla v0.2d, v1.2d, v31.d[1]
        4e420c20 fmla v0.8h, v1.8h, v2.8h
        4ec20c20 fmls v0.8h, v1.8h, v2.8h
        4f321820 fmla v0.8h, v1.8h, v2.h[7]
        4e629420 mla v0.8h, v1.8h, v2.8h
        6ea29420 mls v0.4s, v1.4s, v2.4s
        6fa20020 mla v0.4s, v1.4s, v2.s[1]
        6f524020 mls v0.8h, v1.8h, v2.h[1]
        0e628020 smlal v0.4s, v1.4h, v2.4h
        4f722020 smlal2 v0.4s, v1.8h, v2.h[3]
        2e228020 umlal v0.8h, v1.8b, v2.8b
        2f426020 umlsl v0.4s, v1.4h, v2.h[0]
        0e62a020 smlsl v0.4s, v1.4h, v2.4h
        0e629020 sqdmlal v0.4s, v1.4h, v2.4h
        0f523020 sqdmlal v0.4s, v1.4h, v2.h[1]
        0f527020 sqdmlsl v0.4s, v1.4h, v2.h[1]
        4e62b020 sqdmlsl2 v0.4s, v1.8h, v2.8h
        1f020c20 fmadd s0, s1, s2, s3
        1f628c20 fnmsub d0, d1, d2, d3
        0e22c020 smull v0.8h, v1.8b, v2.8b
        2f52a020 umull v0.4s, v1.4h, v2.h[1]
        6e828420 sqrdmlah v0.4s, v1.4s, v2.4s
        6f52f020 sqrdmlsh v0.8h, v1.8h, v2.h[1]
        6fa2d020 sqrdmlah v0.4s, v1.4s, v2.s[1]
    """,
    Kind.LOAD: """
        f9400020 ldr x0, [x1]
        3dc00420 ldr q0, [x1, 16]
        3cc10420 ldr q0, [x1], 16
        b8626820 ldr w0, [x1, x2]
        39400420 ldrb w0, [x1, 1]
        b9800420 ldrsw x0, [x1, 4]
        39800020 ldrsb x0, [x1]
        785ff020 ldrh w0, [x1, -1]
        a9400440 ldp x0, x1, [x2]
        acc10440 ldp q0, q1, [x2], 32
        69400440 ldpsw x0, x1, [x2]
        ac400440 ldnp q0, q1, [x2]
        4cdf7000 ld1 {v0.16b}, [x0], 16
        4c40a800 ld1 {v0.4s, v1.4s}, [x0]
        4d40c800 ld1r {v0.4s}, [x0]
        0dc19000 ld1 {v0.s}[1], [x0], x1
        4c404000 ld3 {v0.16b, v1.16b, v2.16b}, [x0]
        c85f7c20 ldxr x0, [x1]
        885ffc20 ldaxr w0, [x1]
        88dffc20 ldar w0, [x1]
        b8bfc020 ldapr w0, [x1]
        b8200041 ldadd w0, w1, [x2]
        f8e00041 ldaddal x0, x1, [x2]
        f8208041 swp x0, x1, [x2]
        58000000 ldr x0, lab
        9cffffe0 ldr q0, lab
        3d400020 ldr b0, [x1]
        bc626820 ldr s0, [x1, x2]
    """,
    Kind.STORE: """
        f9000020 str x0, [x1]
        3d800420 str q0, [x1, 16]
        3c810420 str q0, [x1], 16
        3c9f9020 stur q0, [x1, -7]
        fc226820 str d0, [x1, x2]
        39000420 strb w0, [x1, 1]
        781ff020 strh w0, [x1, -1]
        a9000440 stp x0, x1, [x2]
        adbf0440 stp q0, q1, [x2, -32]!
        6dbf27e8 stp d8, d9, [sp, -16]!
        a8000440 stnp x0, x1, [x2]
        4c9f7000 st1 {v0.16b}, [x0], 16
        0d009000 st1 {v0.s}[1], [x0]
        4c000000 st4 {v0.16b, v1.16b, v2.16b, v3.16b}, [x0]
        c8007c41 stxr w0, x1, [x2]
        889ffc20 stlr w0, [x1]
    """,
    Kind.OTHER: """
        f9802000 prfm pldl1keep, [x0, 64]
        f8a16800 prfm pldl1keep, [x0, x1]
        f89fd000 prfum pldl1keep, [x0, -3]
        d8fffd20 prfm pldl1keep, lab
        6e22dc20 fmul v0.4s, v1.4s, v2.4s
        4fa29020 fmul v0.4s, v1.4s, v2.s[1]
        4ea2b420 sqdmulh v0.4s, v1.4s, v2.4s
        4fa2d020 sqrdmulh v0.4s, v1.4s, v2.s[1]
        0f52b020 sqdmull v0.4s, v1.4h, v2.h[1]
        4ea29c20 mul v0.4s, v1.4s, v2.4s
        4f428020 mul v0.8h, v1.8h, v2.h[0]
        4e606820 sadalp v0.4s, v1.8h
        4ea28420 add v0.4s, v1.4s, v2.4s
        4e22d420 fadd v0.4s, v1.4s, v2.4s
        4e423420 fmax v0.8h, v1.8h, v2.8h
        4e22dc20 fmulx v0.4s, v1.4s, v2.4s
        0e220020 saddl v0.8h, v1.8b, v2.8b
        0e225020 sabal v0.8h, v1.8b, v2.8b
        4e21a820 fcvtns v0.4s, v1.4s
        4e020020 tbl v0.16b, {v1.16b}, v2.16b
        9b020c20 madd x0, x1, x2, x3
        9b220c20 smaddl x0, w1, w2, x3
        1e220820 fmul s0, s1, s2
        1e212000 fcmp s0, s1
        8b020020 add x0, x1, x2
        f1001020 subs x0, x1, 4
        17ffffd0 b lab
        b4fff9e0 cbz x0, lab
        97ffffce bl lab
        d65f03c0 ret
        d63f0020 blr x1
        d503201f nop
        4e0c0420 dup v0.4s, v1.s[1]
        4f00e420 movi v0.16b, 1
        4ea24420 sshl v0.4s, v1.4s, v2.4s
        4e620c20 sqadd v0.8h, v1.8h, v2.8h
        0e214820 sqxtn v0.8b, v1.8h
        d53b4400 mrs x0, fpcr
        4e023820 zip1 v0.16b, v1.16b, v2.16b
    """,
}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="the plugin is compiled by gcc")
def test_every_instruction_is_of_its_kind() -> None:
    plugin = ctypes.CDLL(str(compiled_plugin()), mode=os.RTLD_LAZY)
    found, expected = {}, {}
    for kind, lines in ASSEMBLED.items():
        for line in lines.strip().splitlines():
            word, _, text = line.strip().partition(" ")
            expected[text] = kind
            found[text] = Kind(plugin.kind_of_instruction(ctypes.c_uint32(int(word, 16))))
    assert found == expected
    assert len(expected) > 100
