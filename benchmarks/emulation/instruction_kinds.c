/* A plugin of QEMU's user mode that counts the guest's AArch64 instructions by kind.

   The counters lie at the start of the file given as `out=PATH`, as native 64-bit integers in the order of `enum kind`.
   The guest maps the same file, so a program can read them around the code that it wants to know the cost of. They are
   added to once for each translated block that is entered and without locks: exact for a guest of one thread.

   QEMU's packages ship no qemu-plugin.h, so the few functions of its plugin API version 1 (up to QEMU 8, documented in
   "QEMU TCG Plugins") are declared here.

   The encodings are those of the Arm Architecture Reference Manual for A-profile (DDI 0487), chapter C4 "A64 Instruction
   Set Encoding": an instruction is of a kind if, under the mask, its 32 bits are the value. What follows bit by bit:
   Q (30) is the width of a vector, U (29) signed or unsigned, size (23:22) that of an element, Rm (20:16), Rn (9:5) and
   Rd (4:0) are registers. A multiplication counts as a multiply-accumulate if it adds to, or subtracts from, what its
   destination held, or if it widens: kernels for integers begin each sum so. Prefetches load nothing and are "other". */

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define COUNTERS_BYTES 4096

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
                                                  void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *, uint64_t);

EXPORTED int qemu_plugin_version = 1;

enum kind { DOT_PRODUCT, MULTIPLY_ACCUMULATE, LOAD, STORE, OTHER, KINDS };

struct encoding {
    uint32_t mask, value;
    enum kind kind;
};

/* The first that matches decides. */
static const struct encoding ENCODINGS[] = {
    /* Advanced SIMD: three registers, extension: 0 Q U 01110 size 0 Rm 1 opcode 1 */
    {0x9f20fc00, 0x0e009400, DOT_PRODUCT},         /* SDOT, UDOT: opcode 0010 */
    {0xbf20f400, 0x2e008400, MULTIPLY_ACCUMULATE}, /* SQRDMLAH, SQRDMLSH: U 1, opcode 000x */
    /* Advanced SIMD: vector by indexed element: 0 Q U 01111 size L M Rm opcode H 0 */
    {0x9f00f400, 0x0f00e000, DOT_PRODUCT},         /* SDOT, UDOT: opcode 1110 */
    {0xbf00b400, 0x0f001000, MULTIPLY_ACCUMULATE}, /* FMLA, FMLS of half, single or double: U 0, opcode 0x01 */
    {0xbf00b400, 0x2f000000, MULTIPLY_ACCUMULATE}, /* MLA, MLS: U 1, opcode 0x00 */
    {0x9f00b400, 0x0f002000, MULTIPLY_ACCUMULATE}, /* SMLAL, SMLSL, UMLAL, UMLSL: opcode 0x10 */
    {0x9f00f400, 0x0f00a000, MULTIPLY_ACCUMULATE}, /* SMULL, UMULL: opcode 1010 */
    {0xbf00b400, 0x0f003000, MULTIPLY_ACCUMULATE}, /* SQDMLAL, SQDMLSL: U 0, opcode 0x11 */
    {0xbf00d400, 0x2f00d000, MULTIPLY_ACCUMULATE}, /* SQRDMLAH, SQRDMLSH: U 1, opcode 11x1 */
    /* Advanced SIMD: three registers of the same type: 0 Q U 01110 size 1 Rm opcode 1 */
    {0xbf20fc00, 0x0e20cc00, MULTIPLY_ACCUMULATE}, /* FMLA, FMLS: U 0, opcode 11001 */
    {0x9f20fc00, 0x0e209400, MULTIPLY_ACCUMULATE}, /* MLA, MLS: opcode 10010 */
    {0xbf60fc00, 0x0e400c00, MULTIPLY_ACCUMULATE}, /* FMLA, FMLS of half precision: U 0, size x1, bit 21 is 0 */
    /* Advanced SIMD: three registers of different types: 0 Q U 01110 size 1 Rm opcode 00 */
    {0x9f20cc00, 0x0e208000, MULTIPLY_ACCUMULATE}, /* SMLAL, SMLSL, UMLAL, UMLSL, SQDMLAL, SQDMLSL: opcode 10xx */
    {0x9f20fc00, 0x0e20c000, MULTIPLY_ACCUMULATE}, /* SMULL, UMULL: opcode 1100 */
    /* Floating-point of three sources: 0 0 0 11111 */
    {0xff000000, 0x1f000000, MULTIPLY_ACCUMULATE}, /* FMADD, FMSUB, FNMADD, FNMSUB */
    /* Loads and stores, V (26) telling vector from general registers */
    {0xff000000, 0xd8000000, OTHER}, /* PRFM of a literal */
    {0x3b000000, 0x18000000, LOAD},  /* any other literal */
    {0xffc00000, 0xf9800000, OTHER}, /* PRFM, unsigned offset */
    {0xffe00c00, 0xf8a00800, OTHER}, /* PRFM, register offset */
    {0xffe00c00, 0xf8800000, OTHER}, /* PRFUM */
    {0xbe400000, 0x0c400000, LOAD},  /* LD1 to LD4 of whole registers and of single elements: L (22) is 1 */
    {0xbe400000, 0x0c000000, STORE}, /* ST1 to ST4 */
    {0x3f400000, 0x08400000, LOAD},  /* exclusive or ordered, to general registers: L is 1 */
    {0x3f400000, 0x08000000, STORE},
    {0x3a400000, 0x28400000, LOAD},  /* LDP, LDNP: L is 1 */
    {0x3a400000, 0x28000000, STORE}, /* STP, STNP */
    {0x3f200c00, 0x38200000, LOAD},  /* atomic memory operations, which also store, and LDAPR */
    {0x3e400000, 0x3c400000, LOAD},  /* one vector register: opc (23:22) is x1 */
    {0x3e400000, 0x3c000000, STORE},
    {0x3ec00000, 0x38000000, STORE}, /* one general register: opc is 00 */
    {0x3e000000, 0x38000000, LOAD},  /* opc is 01, or 10 and 11, which extend the sign */
};

static uint64_t *counters;

/* The kind of an instruction, exported for tests. */
EXPORTED int kind_of_instruction(uint32_t word)
{
    for (size_t i = 0; i < sizeof ENCODINGS / sizeof *ENCODINGS; i++) {
        if ((word & ENCODINGS[i].mask) == ENCODINGS[i].value) {
            return ENCODINGS[i].kind;
        }
    }
    return OTHER;
}

static void count_block(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    uint64_t found[KINDS] = {0};
    size_t length = qemu_plugin_tb_n_insns(block);
    for (size_t i = 0; i < length; i++) {
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, i)), sizeof word);
        found[kind_of_instruction(word)]++;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        if (found[kind]) {
            qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &counters[kind], found[kind]);
        }
    }
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    const char *path = NULL;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            path = argv[i] + 4;
        }
    }
    int file = path ? open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
    if (file < 0 || ftruncate(file, COUNTERS_BYTES) != 0) {
        fputs("instruction_kinds: out=PATH must name a file that can be written\n", stderr);
        return -1;
    }
    counters = mmap(NULL, COUNTERS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (counters == MAP_FAILED) {
        fputs("instruction_kinds: the counters cannot be mapped\n", stderr);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    return 0;
}
