/*
 * A JPEG encoder (ITU-T T.81), in parts. analysis.c turns strips of pixels into DCT coefficients:
 * colour, chroma averaged (in linear light), luma corrected for it, forward DCT. quantise.c and
 * trellis.c choose the levels, tokens.c keeps them as runs and values, huffman.c, scans.c and
 * markers.c write the file. reconstruct.c shows what decoders will make of it. tables.c has the
 * quantisation tables, kernels.h the loops over samples, encoder.c is what Python sees.
 *
 * All arithmetic that decides anything is in integers, so every instruction set writes the same
 * bytes.
 */
#ifndef TINYJPG_JPEG_H
#define TINYJPG_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "../dispatch.h"

enum {
    /* Samples of a block's side, and coefficients of a block. */
    SIDE = 8,
    BLOCK = 64,
    MOST_COMPONENTS = 3,
    /* Rows are readable and writable up to a multiple of this many samples. */
    VECTOR = 32,
    /* Largest side that a JPEG can have (T.81, B.2.2), less than 65535 as libjpeg has it. */
    LARGEST_SIDE = 65500,
    /* Fractional bits: of code values to make chroma of, of samples between colour and DCT, of
     * coefficients, of levels. */
    CODE_BITS = 4,
    SAMPLE_BITS = 3,
    COEFFICIENT_BITS = 4,
    LEVEL_BITS = 8,
    /* Of costs, in bits of the file. */
    COST_BITS = 8
};

/* Natural index of each coefficient in zigzag order (T.81, figure A.6). */
extern const uint8_t zigzag[BLOCK];

/* ---- geometry.c ---- */

enum subsampling { GREY, CHROMA_444, CHROMA_422, CHROMA_420, SUBSAMPLINGS };

/* What colours of pixels that share chroma become: the mean of their light, or of what shows. */
enum averaging { LINEAR_LIGHT, AS_SHOWN };

struct component {
    /* Sampling factors. */
    int across, down;
    size_t width, height;
    /* Blocks that hold samples, and with those that only complete the last MCU. */
    size_t blocks_across, blocks_down;
    size_t padded_across;
};

struct geometry {
    enum subsampling subsampling;
    enum averaging averaging;
    size_t width, height;
    int count;
    struct component components[MOST_COMPONENTS];
    /* The size of an MCU in pixels. */
    size_t mcu_width, mcu_height;
    size_t mcus_across, mcus_down;
    /* Coefficients of a row of MCUs, and where those of each component start in it. */
    size_t row_size, start[MOST_COMPONENTS];
};

/* Returns 0, or -1 where no JPEG can have that size. */
int geometry_of(struct geometry *geometry, size_t width, size_t height, int subsampling,
                int averaging);

/* ---- kernels.h and its variants ---- */

/* Of a block's AC: the sum of the magnitudes and of their squares, two fractional bits each. */
struct activity {
    uint32_t sum, squares;
};

struct jpeg_kernels {
    /* Interleaved RGB to three rows. */
    void (*split)(const uint8_t *pixels, size_t width, uint8_t *const rgb[3]);
    /* Luma of JFIF, centred on zero, SAMPLE_BITS fractional bits. */
    void (*luma)(uint8_t *const rgb[3], size_t width, int16_t *out);
    /* Code values to linear light. */
    void (*linear)(const uint8_t *codes, size_t width, int32_t *out);
    /* The luminance that the correction holds constant. */
    void (*luminance)(int32_t *const linear[3], size_t width, int32_t *out);
    /* Means of 2 x 1 or, where `lower` is not `upper`, 2 x 2 samples. */
    void (*mean)(const int32_t *upper, const int32_t *lower, size_t width, int32_t *out);
    /* Chroma of JFIF: code values with four fractional bits in, SAMPLE_BITS out, centred on zero,
     * and as decoders will round it. */
    void (*chroma)(uint16_t *const rgb[3], size_t width, int16_t *const out[2],
                   uint8_t *const rounded[2]);
    /* Corrects luma so that the luminance after upsampling is the original's. */
    void (*correct)(int16_t *luma, uint8_t *const chroma[2], const int32_t *luminance,
                    size_t width);
    /* One block of samples to coefficients in zigzag order. `stride` in samples. */
    void (*forward)(const int16_t *samples, size_t stride, int16_t *out);
    /* libjpeg's fancy upsampling, two rows to one or one to one; `width` of the output. */
    void (*upsample_2x2)(const uint8_t *near, const uint8_t *far, size_t width, uint8_t *out);
    void (*upsample_2x1)(const uint8_t *in, size_t width, uint8_t *out);
    /* JFIF to interleaved RGB, as libjpeg rounds it. */
    void (*to_rgb)(const uint8_t *luma, uint8_t *const chroma[2], size_t width, uint8_t *out);
    /* A block of coefficients in natural order, dequantised, to samples: libjpeg's ISLOW. */
    void (*inverse)(const int16_t *coefficients, uint8_t *out, size_t stride);
    /* |coefficient| / quantiser with LEVEL_BITS fractional bits, and the bits of those whose nearest
     * level is not 0. */
    struct activity (*normalise)(const int16_t *coefficients, const uint32_t *reciprocals,
                                 int32_t *out, uint64_t *candidates);
};

extern const struct jpeg_kernels jpeg_kernels_portable, jpeg_kernels_avx2, jpeg_kernels_avx512;

/* Those of the instruction set in force. */
const struct jpeg_kernels *jpeg_kernels(void);

static inline size_t rounded_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

/* ---- analysis.c ---- */

struct analysis;

/* Called with the coefficients of each row of MCUs, from top to bottom; 0, or -1 to give up. */
typedef int (*mcu_row_sink)(void *context, const int16_t *coefficients);

/* NULL when memory runs out. */
struct analysis *analysis_new(const struct geometry *geometry, const struct jpeg_kernels *kernels,
                              mcu_row_sink sink, void *context);

void analysis_free(struct analysis *analysis);

/* Takes in the next rows, RGB, or one band where the geometry is grey. Returns 0, or -1. */
int analysis_push(struct analysis *analysis, const uint8_t *pixels, size_t rows);

/* Upsamples a row of chroma, whose neighbours are `above` and `below`, to the row `lower` (0 or 1)
 * of those it covers. What decoders do with narrow images included. */
void upsample_chroma(const struct geometry *geometry, const struct jpeg_kernels *kernels,
                     const uint8_t *above, const uint8_t *row, const uint8_t *below, int lower,
                     uint8_t *out);

/* ---- chroma.c ---- */

/* Colours of 2 x 1 or, where `lower` is not `upper`, 2 x 2 pixels, CODE_BITS fractional bits, of
 * which as much shows as of the pixels. `width` in pixels. */
void average_as_shown(uint8_t *const upper[3], uint8_t *const lower[3], size_t width,
                      uint16_t *const out[3]);

/* ---- overshoot.c ---- */

/*
 * Writes a block of luma to `out` with white and black beyond what decoders clip to, where that hides
 * ringing; returns 0 where nothing is to be gained. `stride` in samples.
 */
int overshoot(const int16_t *samples, size_t stride, int16_t out[BLOCK]);

/* ---- tables.c ---- */

struct quantiser {
    /* Steps in zigzag order, and what normalise() multiplies by. */
    uint8_t step[BLOCK];
    uint32_t reciprocal[BLOCK];
};

/* Tables tuned on photographs, and changed for what is drawn: screenshots, logos. */
enum tables { PHOTOGRAPH, DRAWING };

/* The tables times `scale` / 256. */
void make_quantiser(struct quantiser *quantiser, enum tables tables, int component,
                    enum subsampling subsampling, uint32_t scale);

/* ---- tokens.c ---- */

/* Bytes that grow piece by piece, so that memory is never copied or held twice. */
struct chunk;
struct bytes {
    struct chunk *first, *last;
    size_t size;
    int failed;
};

void bytes_append(struct bytes *bytes, const uint8_t *data, size_t size);
void bytes_free(struct bytes *bytes);
/* Calls `visit` with one piece after the other and frees it. */
void bytes_drain(struct bytes *bytes, void (*visit)(void *, const uint8_t *, size_t), void *context);

/*
 * A scan's Huffman symbols before there are codes: a symbol, then its extra bits in one byte, or
 * in two (the high one first) where it has more than eight.
 */
struct band {
    int first, last;
    /* Blocks that the pending end-of-band run covers. */
    unsigned run;
    /* Whether each block has an end of its own. */
    int is_sequential;
    uint32_t counts[256];
    /* NULL where only the counts are wanted. */
    struct bytes *tokens;
};

/* Bits that follow a symbol. */
static inline int extra_bits(const struct band *band, int symbol)
{
    int size = symbol & 15;
    return size || band->last == 0 ? size : symbol == 0xF0 ? 0 : symbol >> 4;
}

/* Bits that the magnitude of a value takes (T.81, tables F.1 and F.2). */
static inline int magnitude_bits(unsigned value)
{
    return value ? 32 - __builtin_clz(value) : 0;
}

/* Adds the band's part of a block; `nonzero` has a bit for every level that is not 0. */
void band_block(struct band *band, const int16_t *levels, uint64_t nonzero);
/* Adds the difference of a DC level. */
void band_difference(struct band *band, int difference);
/* Adds what is pending after the last block. */
void band_finish(struct band *band);

/* ---- script.c ---- */

enum { MOST_PARTS = 4, CUTS = 7 };

/* The AC coefficients of each component in parts, each of which becomes a scan: how many, and the last
 * coefficient of each. */
struct script {
    int count[MOST_COMPONENTS];
    uint8_t last[MOST_COMPONENTS][MOST_PARTS];
};

/* The first coefficient of a part. */
int part_first(const struct script *script, int component, int part);

/* The symbols of all parts that there might be, by where they begin and end. */
struct survey {
    struct band bands[MOST_COMPONENTS][CUTS][CUTS];
};

void survey_prepare(struct survey *survey);
void survey_block(struct survey *survey, int component, const int16_t *levels, uint64_t nonzero);
/* The script that takes the fewest bits, where the survey has seen one in so many blocks. */
void choose_script(struct script *script, struct survey *survey, int components, uint32_t one_in);

/* ---- quantise.c ---- */

enum { RUNS = 16, SIZES = 16 };

/* What symbols are expected to cost. */
struct rates {
    /* By the bits of the value, and the zeros before it. */
    int32_t symbol[SIZES][BLOCK];
    int32_t end;
};

struct plan {
    struct script script;
    enum tables tables;
    /* 1 to 9. */
    int effort;
    /* Whether coefficients have been moved to where the metric would rather have them. */
    int is_refined;
    /* Whether every level is the nearest: at the finest scales, where nothing may be lost. */
    int is_exact;
    int is_progressive;
    struct quantiser quantisers[MOST_COMPONENTS];
    struct rates rates[MOST_COMPONENTS][MOST_PARTS];
};

/* Levels of one block, in zigzag order; returns the bits of those that are not 0. */
uint64_t quantise_block(const struct jpeg_kernels *kernels, const struct plan *plan, int component,
                        const int16_t *coefficients, int16_t *levels);
/* The same without trellis. */
uint64_t dead_zone_block(const struct jpeg_kernels *kernels, const struct plan *plan, int component,
                         const int16_t *coefficients, int16_t *levels);

void rates_from(struct rates *rates, const struct band *band);

/* ---- refine.c ---- */

/*
 * Moves coefficients to where the metric would rather have them, for another trellis. `original` and
 * `shown`, by `plan`, are RGB, or one band where the geometry is grey. Both sides are at least 8.
 * Returns 0, or -1 when memory runs out.
 */
int refine_targets(const struct geometry *geometry, const struct jpeg_kernels *kernels,
                   const struct plan *plan, const uint8_t *original, const uint8_t *shown,
                   const int16_t *coefficients, int16_t *targets);

/* ---- trellis.c ---- */

/*
 * Chooses levels of the `candidates` of one band to lower bits + weight x squared error.
 * `magnitudes` have LEVEL_BITS fractional bits, `levels` are 0. Returns the bits of those that are
 * not 0 any more.
 */
uint64_t trellis_band(const struct rates *rates, int first, int last, const int32_t *magnitudes,
                      uint64_t candidates, int32_t weight, int16_t *levels);

/* The coefficients from `first` to `last`. */
static inline uint64_t bits_between(int first, int last)
{
    return UINT64_MAX >> (BLOCK - 1 - last) & UINT64_MAX << first;
}

/* ---- huffman.c ---- */

struct huffman {
    /* How many codes have 1 to 16 bits, and their symbols in order (T.81, C.1). */
    uint8_t counts[17];
    uint8_t symbols[256];
    int used;
    uint16_t code[256];
    uint8_t length[256];
};

/* The best code for symbols that occur so often. */
void huffman_from(struct huffman *huffman, const uint32_t counts[256]);

/* ---- scans.c ---- */

/*
 * The tokens of a picture, scan by scan: in a progressive file one of DC, and one for each band; in
 * a sequential one a single scan with everything, in the order of the MCUs.
 */
struct tokens {
    struct bytes dc_tokens, band_tokens[MOST_COMPONENTS][MOST_PARTS];
    /* DC of luma and of chroma. */
    struct band dc[2];
    /* AC; of a sequential file the first part of luma and the first of the second component. */
    struct band ac[MOST_COMPONENTS][MOST_PARTS];
};

/* Progressive with a script, sequential where it is NULL. */
void tokens_prepare(struct tokens *tokens, const struct script *script);
void tokens_free(struct tokens *tokens);

/* Writes all scans with their Huffman tables, and frees the tokens. */
void write_scans(struct bytes *out, const struct geometry *geometry, struct tokens *tokens,
                 const struct script *script);

/* ---- markers.c ---- */

/* From SOI to the frame header, with a minimal JFIF segment. Equal tables are written once. */
void write_start(struct bytes *out, const struct geometry *geometry,
                 const struct quantiser quantisers[MOST_COMPONENTS], int is_progressive);

/* Of each class. */
enum { HUFFMAN_DESTINATIONS = 4 };

/* A Huffman table and where it goes: `class` is 0 for DC, 1 for AC. */
struct destined {
    int class, destination;
    struct huffman huffman;
};

/* Writes tables, at most HUFFMAN_DESTINATIONS of each class, in one segment. */
void write_huffman(struct bytes *out, const struct destined *tables, int count);

/* `table` is the destination of a band's table; from DC on luma has 0, chroma 1. */
void write_scan_header(struct bytes *out, int first_component, int count, int first, int last,
                       int table);
void write_end(struct bytes *out);

/* ---- reconstruct.c ---- */

/* The planes that decoders make of the levels: filled block by block, then shown. */
struct planes {
    /* Whose they are; for callers. */
    const void *owner;
    const struct geometry *geometry;
    const struct jpeg_kernels *kernels;
    uint8_t *samples[MOST_COMPONENTS];
    uint8_t *memory;
};

/* Returns 0, or -1 when memory runs out. */
int planes_new(struct planes *planes, const struct geometry *geometry,
               const struct jpeg_kernels *kernels);
void planes_free(struct planes *planes);
void planes_block(const struct planes *planes, int component, size_t row, size_t column,
                  const struct quantiser *quantiser, const int16_t *levels, uint64_t nonzero);
/* RGB, or one band where the geometry is grey. Returns 0, or -1 when memory runs out. */
int planes_show(const struct planes *planes, uint8_t *pixels);

#endif
