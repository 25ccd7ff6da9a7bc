/*
 * Strips of pixels to rows of MCUs of DCT coefficients. Chroma is averaged in linear light, where
 * it is averaged at all, and luma then corrected for what the decoder's upsampling makes of it:
 * averages of gamma-coded chroma darken coloured edges. chroma.c has the other way.
 */
#include <stdlib.h>
#include <string.h>

#include "jpeg.h"

enum {
    CODES = 255 << CODE_BITS,
    /* Linear light has 20 fractional bits; below the split it is looked up sixteen times as finely. */
    SPLIT = 1 << 16,
    FINE_SHIFT = 4,
    COARSE_SHIFT = 8,
    FINE_ENTRIES = SPLIT >> FINE_SHIFT,
    ENTRIES = FINE_ENTRIES + (1 << 20 >> COARSE_SHIFT) + 16,
    /* Rows of chroma that upsampling looks at, and rows of luma that wait for the last of them. */
    CONTEXT = 3,
    PAIR = 2
};

struct analysis {
    const struct geometry *geometry;
    const struct jpeg_kernels *kernels;
    mcu_row_sink sink;
    void *context;
    size_t stride;
    size_t pushed;
    /* Rows of luma that are in, are corrected, and the same of chroma before and after an MCU. */
    size_t units;
    uint8_t *rgb[PAIR][3];
    int32_t *linear[PAIR][3];
    int32_t *means[3];
    uint16_t *codes[3];
    int16_t *waiting[2][PAIR];
    int32_t *luminance[2][PAIR];
    uint8_t *rounded[CONTEXT][2];
    uint8_t *upsampled[2];
    int16_t *luma[2 * SIDE];
    /* One more than an MCU's: the next MCU's first comes before this one's luma is corrected. */
    int16_t *chroma[2][SIDE + 1];
    int16_t *coefficients;
    uint16_t codes_of_linear[ENTRIES];
    void *memory;
};

struct pool {
    uint8_t *base;
    size_t used;
};

static void *take(struct pool *pool, size_t size)
{
    size_t at = pool->used;
    pool->used += rounded_up(size, 64);
    return pool->base ? pool->base + at : NULL;
}

static void lay_out(struct analysis *analysis, struct pool *pool)
{
    size_t stride = analysis->stride;
    for (int i = 0; i < PAIR; i++) {
        for (int j = 0; j < 3; j++) {
            analysis->rgb[i][j] = take(pool, stride);
            analysis->linear[i][j] = take(pool, stride * sizeof(int32_t));
        }
        for (int j = 0; j < 2; j++) {
            analysis->waiting[j][i] = take(pool, stride * sizeof(int16_t));
            analysis->luminance[j][i] = take(pool, stride * sizeof(int32_t));
        }
        analysis->upsampled[i] = take(pool, stride);
        for (int j = 0; j < CONTEXT; j++) {
            analysis->rounded[j][i] = take(pool, stride);
        }
        for (int j = 0; j <= SIDE; j++) {
            analysis->chroma[i][j] = take(pool, stride * sizeof(int16_t));
        }
    }
    for (int j = 0; j < 3; j++) {
        analysis->means[j] = take(pool, stride * sizeof(int32_t));
        analysis->codes[j] = take(pool, stride * sizeof(uint16_t));
    }
    for (int j = 0; j < 2 * SIDE; j++) {
        analysis->luma[j] = take(pool, stride * sizeof(int16_t));
    }
    analysis->coefficients = take(pool, analysis->geometry->row_size * sizeof(int16_t));
}

static size_t entry_of(int32_t linear)
{
    return linear < SPLIT ? (size_t)linear >> FINE_SHIFT
                          : FINE_ENTRIES + ((size_t)linear >> COARSE_SHIFT);
}

static int32_t middle_of(size_t entry)
{
    return entry < FINE_ENTRIES
               ? (int32_t)((entry << FINE_SHIFT) + (1 << FINE_SHIFT >> 1))
               : (int32_t)(((entry - FINE_ENTRIES) << COARSE_SHIFT) + (1 << COARSE_SHIFT >> 1));
}

/* The inverse of the kernels' linear light, from the kernel itself: 255 values, interpolated. */
static void invert(struct analysis *analysis)
{
    uint8_t codes[256];
    int32_t linear[256];
    for (int i = 0; i < 256; i++) {
        codes[i] = (uint8_t)i;
    }
    analysis->kernels->linear(codes, 256, linear);
    int below = 0;
    for (size_t entry = 0; entry < ENTRIES; entry++) {
        int32_t light = middle_of(entry);
        if (entry == FINE_ENTRIES) {
            below = 0;
        }
        while (below < 254 && linear[below + 1] <= light) {
            below++;
        }
        int32_t step = linear[below + 1] - linear[below];
        int32_t code = 16 * below + (16 * (light - linear[below]) + step / 2) / step;
        analysis->codes_of_linear[entry] = (uint16_t)(code < 0 ? 0 : code > CODES ? CODES : code);
    }
}

struct analysis *analysis_new(const struct geometry *geometry, const struct jpeg_kernels *kernels,
                              mcu_row_sink sink, void *context)
{
    struct analysis *analysis = calloc(1, sizeof *analysis);
    if (!analysis) {
        return NULL;
    }
    analysis->geometry = geometry;
    analysis->kernels = kernels;
    analysis->sink = sink;
    analysis->context = context;
    analysis->stride = rounded_up(geometry->mcus_across * geometry->mcu_width, VECTOR);
    struct pool pool = {NULL, 0};
    lay_out(analysis, &pool);
    pool.base = analysis->memory = calloc(1, pool.used);
    if (!pool.base) {
        free(analysis);
        return NULL;
    }
    pool.used = 0;
    lay_out(analysis, &pool);
    invert(analysis);
    return analysis;
}

void analysis_free(struct analysis *analysis)
{
    if (analysis) {
        free(analysis->memory);
        free(analysis);
    }
}

/* libjpeg replicates instead where a component has so few samples across. */
enum { MOST_REPLICATED = 2 };

void upsample_chroma(const struct geometry *geometry, const struct jpeg_kernels *kernels,
                     const uint8_t *above, const uint8_t *row, const uint8_t *below, int lower,
                     uint8_t *out)
{
    size_t width = geometry->width;
    size_t count = geometry->components[1].width;
    if (geometry->subsampling == CHROMA_444) {
        memcpy(out, row, width);
    } else if (count <= MOST_REPLICATED) {
        for (size_t x = 0; x < width; x++) {
            out[x] = row[x / 2];
        }
    } else if (geometry->subsampling == CHROMA_422) {
        kernels->upsample_2x1(row, width, out);
    } else {
        kernels->upsample_2x2(row, lower ? below : above, width, out);
    }
}

/* Forward DCT of the MCUs that are complete. */
static int finish_mcu_row(struct analysis *analysis)
{
    const struct geometry *geometry = analysis->geometry;
    for (int i = 0; i < geometry->count; i++) {
        const struct component *component = &geometry->components[i];
        int16_t *out = analysis->coefficients + geometry->start[i];
        for (int row = 0; row < component->down; row++) {
            /* Rows of one plane are equally far apart. */
            int16_t *const *rows = i ? analysis->chroma[i - 1] : analysis->luma + SIDE * row;
            size_t stride = (size_t)(rows[1] - rows[0]);
            for (size_t block = 0; block < component->padded_across; block++, out += BLOCK) {
                const int16_t *samples = rows[0] + SIDE * block;
                int16_t lifted[BLOCK];
                if (i == 0 && overshoot(samples, stride, lifted)) {
                    analysis->kernels->forward(lifted, SIDE, out);
                } else {
                    analysis->kernels->forward(samples, stride, out);
                }
            }
        }
    }
    for (int i = 0; i < 2 && geometry->subsampling == CHROMA_420; i++) {
        memcpy(analysis->chroma[i][0], analysis->chroma[i][SIDE],
               analysis->stride * sizeof(int16_t));
    }
    return analysis->sink(analysis->context, analysis->coefficients);
}

static void replicate(int16_t *row, size_t width, size_t stride)
{
    for (size_t x = width; x < stride; x++) {
        row[x] = row[width - 1];
    }
}

static void correct(struct analysis *analysis, size_t unit, int lower, const uint8_t *above[2],
                    const uint8_t *below[2], int16_t *luma, const int32_t *luminance)
{
    const struct geometry *geometry = analysis->geometry;
    if (geometry->subsampling >= CHROMA_422) {
        for (int i = 0; i < 2; i++) {
            upsample_chroma(geometry, analysis->kernels, above[i],
                            analysis->rounded[unit % CONTEXT][i], below[i], lower,
                            analysis->upsampled[i]);
        }
        analysis->kernels->correct(luma, analysis->upsampled, luminance, geometry->width);
    }
    replicate(luma, geometry->width, analysis->stride);
}

/* Corrects the luma of one row of chroma once the next, `has_next`, is there. */
static int release(struct analysis *analysis, size_t unit, int has_next)
{
    const struct geometry *geometry = analysis->geometry;
    size_t down = geometry->mcu_height / SIDE;
    const uint8_t *above[2], *below[2];
    for (int i = 0; i < 2; i++) {
        above[i] = analysis->rounded[(unit ? unit - 1 : unit) % CONTEXT][i];
        below[i] = analysis->rounded[(has_next ? unit + 1 : unit) % CONTEXT][i];
    }
    for (size_t row = 0; row < down; row++) {
        int16_t *luma = analysis->luma[(unit * down + row) % geometry->mcu_height];
        memcpy(luma, analysis->waiting[unit % 2][row], analysis->stride * sizeof *luma);
        correct(analysis, unit, row == 1, above, below, luma,
                analysis->luminance[unit % 2][row]);
    }
    return (unit + 1) % SIDE ? 0 : finish_mcu_row(analysis);
}

/* The colours that one row of chroma stands for. */
static void average(struct analysis *analysis, size_t rows)
{
    const struct geometry *geometry = analysis->geometry;
    if (geometry->averaging == AS_SHOWN) {
        average_as_shown(analysis->rgb[0], analysis->rgb[rows - 1], geometry->width,
                         analysis->codes);
        return;
    }
    size_t width = geometry->components[1].width;
    for (int i = 0; i < 3; i++) {
        analysis->kernels->mean(analysis->linear[0][i], analysis->linear[rows - 1][i], width,
                                analysis->means[i]);
        for (size_t x = 0; x < width; x++) {
            analysis->codes[i][x] = analysis->codes_of_linear[entry_of(analysis->means[i][x])];
        }
    }
}

static void chroma_row(struct analysis *analysis, size_t unit, size_t rows)
{
    const struct geometry *geometry = analysis->geometry;
    const struct jpeg_kernels *kernels = analysis->kernels;
    size_t width = geometry->components[1].width;
    if (geometry->subsampling == CHROMA_444) {
        for (int i = 0; i < 3; i++) {
            for (size_t x = 0; x < width; x++) {
                analysis->codes[i][x] = (uint16_t)(analysis->rgb[0][i][x] << CODE_BITS);
            }
        }
    } else {
        average(analysis, rows);
    }
    /* In the middle of an MCU row of 4:2:0 the next row of MCUs has begun. */
    size_t at = unit % SIDE;
    if (at == 0 && unit > 0 && geometry->subsampling == CHROMA_420) {
        at = SIDE;
    }
    int16_t *const out[2] = {analysis->chroma[0][at], analysis->chroma[1][at]};
    kernels->chroma(analysis->codes, width, out, analysis->rounded[unit % CONTEXT]);
    for (int i = 0; i < 2; i++) {
        replicate(out[i], width, analysis->stride);
    }
}

/* Takes in what one row of chroma covers, a row or two, that are in `rgb`. */
static int push_unit(struct analysis *analysis)
{
    const struct geometry *geometry = analysis->geometry;
    const struct jpeg_kernels *kernels = analysis->kernels;
    size_t rows = geometry->mcu_height / SIDE, unit = analysis->units++;
    for (size_t row = 0; row < rows; row++) {
        int16_t *waiting = analysis->waiting[unit % 2][row];
        if (geometry->subsampling == GREY) {
            for (size_t x = 0; x < geometry->width; x++) {
                waiting[x] = (int16_t)((analysis->rgb[row][0][x] << SAMPLE_BITS) - (128 << SAMPLE_BITS));
            }
            continue;
        }
        kernels->luma(analysis->rgb[row], geometry->width, waiting);
        for (int i = 0; i < 3 && geometry->subsampling >= CHROMA_422; i++) {
            int32_t *linear = analysis->linear[row][i];
            kernels->linear(analysis->rgb[row][i], geometry->width, linear);
            /* The last mean of an odd width. */
            if (geometry->width % 2) {
                linear[geometry->width] = linear[geometry->width - 1];
            }
        }
        if (geometry->subsampling >= CHROMA_422) {
            kernels->luminance(analysis->linear[row], geometry->width,
                               analysis->luminance[unit % 2][row]);
        }
    }
    if (geometry->subsampling != GREY) {
        chroma_row(analysis, unit, rows);
    }
    if (geometry->subsampling != CHROMA_420) {
        return release(analysis, unit, 0);
    }
    return unit ? release(analysis, unit - 1, 1) : 0;
}

/* Repeats the last row to the end of its MCUs. */
static int finish(struct analysis *analysis)
{
    const struct geometry *geometry = analysis->geometry;
    size_t rows = geometry->mcu_height / SIDE, units = geometry->mcus_down * SIDE;
    if (analysis->pushed % rows) {
        for (int i = 0; i < 3; i++) {
            memcpy(analysis->rgb[1][i], analysis->rgb[0][i], geometry->width);
        }
        if (push_unit(analysis)) {
            return -1;
        }
    } else if (rows > 1) {
        for (int i = 0; i < 3; i++) {
            memcpy(analysis->rgb[0][i], analysis->rgb[1][i], geometry->width);
        }
    }
    while (analysis->units < units) {
        if (push_unit(analysis)) {
            return -1;
        }
    }
    return rows > 1 ? release(analysis, units - 1, 0) : 0;
}

int analysis_push(struct analysis *analysis, const uint8_t *pixels, size_t rows)
{
    const struct geometry *geometry = analysis->geometry;
    size_t in_unit = geometry->mcu_height / SIDE;
    size_t bands = geometry->subsampling == GREY ? 1 : 3;
    for (size_t row = 0; row < rows; row++, pixels += bands * geometry->width) {
        uint8_t *const *rgb = analysis->rgb[analysis->pushed++ % in_unit];
        if (bands == 1) {
            memcpy(rgb[0], pixels, geometry->width);
        } else {
            analysis->kernels->split(pixels, geometry->width, rgb);
        }
        if (analysis->pushed % in_unit == 0 && push_unit(analysis)) {
            return -1;
        }
    }
    return analysis->pushed == geometry->height ? finish(analysis) : 0;
}
