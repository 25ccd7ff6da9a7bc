/*
 * Moves the targets of quantisation to where the metric would rather have them. Were its errors the
 * squares of the coefficients' errors, each with a weight by frequency, the original coefficients
 * would be the best targets. How far its gradient is from that says, block by block, what shows more
 * and what shows less.
 *
 * It decides what is written: sums in one order, no products fused into them.
 */
#include "../exact_floats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../ssimulacra2_gradient.h"
#include "jpeg.h"

enum {
    /* Pixels of a window, about, and rows beyond it on both sides that belong to it. */
    WINDOW = 1 << 20,
    MARGIN = 64,
    LEAST_ROWS = 128
};

/*
 * How much of the way to the metric's target is gone, for DC, AC of luma, and AC of chroma; and how
 * far away that may be, in quantisation steps. Measured on 26 photographs by their bytes at equal
 * scores: .06 to .12 are alike for luma, where the least is better by luma MS-SSIM; .3 takes 1 % more,
 * and without the limit some take a quarter more.
 */
#define OF_DC .12f
#define OF_LUMA .06f
#define OF_CHROMA .15f
#define FARTHEST 1.0f

struct window {
    const struct geometry *geometry;
    /* Rows of MCUs, and of pixels with the margin. */
    size_t first, last, top, bottom;
    /* The gradient by red, green and blue and then by the components, and by chroma as stored. */
    float *planes[MOST_COMPONENTS], *chroma[2];
    /* By coefficients in zigzag order, block after block, as rows of MCUs have them. */
    float *by_coefficients;
    double products[MOST_COMPONENTS][BLOCK], squares[MOST_COMPONENTS][BLOCK];
};

/* Gradients by luma and chroma; the weights are those of ITU-T T.871, 7. */
static void by_components(const struct window *window)
{
    size_t count = window->geometry->width * (window->bottom - window->top);
    float *restrict red = window->planes[0], *restrict green = window->planes[1];
    float *restrict blue = window->planes[2];
    for (size_t i = 0; i < count; i++) {
        float r = red[i], g = green[i], b = blue[i];
        red[i] = r + g + b;
        green[i] = 1.772f * b - .344136286f * g;
        blue[i] = 1.402f * r - .714136286f * g;
    }
}

/* Adds a row of full width to one of half width: fancy upsampling, backwards. */
static void add_narrowed(const float *restrict in, size_t width, float weight, float *restrict out)
{
    size_t count = (width + 1) / 2;
    for (size_t x = 0; x < width; x++) {
        size_t near = x / 2;
        size_t far = x % 2 ? (near + 1 < count ? near + 1 : near) : (near ? near - 1 : near);
        out[near] += .75f * weight * in[x];
        out[far] += .25f * weight * in[x];
    }
}

/* The gradient by chroma samples of that by full chroma. */
static void narrow_chroma(const struct window *window)
{
    const struct geometry *geometry = window->geometry;
    size_t width = geometry->components[1].width;
    size_t down = geometry->mcu_height / SIDE;
    size_t rows = (window->bottom - window->top + down - 1) / down;
    for (int i = 0; i < 2; i++) {
        memset(window->chroma[i], 0, rows * width * sizeof *window->chroma[i]);
        for (size_t y = 0; y < window->bottom - window->top; y++) {
            const float *in = window->planes[i + 1] + y * geometry->width;
            float *out = window->chroma[i];
            if (geometry->subsampling == CHROMA_444) {
                memcpy(out + y * width, in, width * sizeof *in);
            } else if (down == 1) {
                add_narrowed(in, geometry->width, 1.0f, out + y * width);
            } else {
                size_t near = y / 2;
                size_t far = y % 2 ? (near + 1 < rows ? near + 1 : near) : (near ? near - 1 : near);
                add_narrowed(in, geometry->width, .75f, out + near * width);
                add_narrowed(in, geometry->width, .25f, out + far * width);
            }
        }
    }
}

/* ---- Blocks ---- */

static void basis_of(float basis[SIDE][SIDE])
{
    /* Halves of cosines of multiples of pi / 16. */
    static const float cosines[SIDE + 1] = {.5f, .490392640f, .461939766f, .415734806f, .353553391f,
                                            .277785117f, .191341716f, .0975451610f, 0.0f};
    for (int k = 0; k < SIDE; k++) {
        for (int x = 0; x < SIDE; x++) {
            int angle = k * (2 * x + 1) % 32;
            angle = angle > 16 ? 32 - angle : angle;
            float cosine = angle > 8 ? -cosines[16 - angle] : cosines[angle];
            basis[k][x] = k ? cosine : cosines[4];
        }
    }
}

/* What the columns of a block have of each wave, turned over. */
static inline void wave_columns(const float basis[SIDE][SIDE], const float in[SIDE][SIDE],
                                float out[SIDE][SIDE])
{
    for (int k = 0; k < SIDE; k++) {
        float sums[SIDE] = {0};
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                sums[x] += basis[k][y] * in[y][x];
            }
        }
        for (int x = 0; x < SIDE; x++) {
            out[x][k] = sums[x];
        }
    }
}

/* The gradient by the coefficients of a block of that by its samples, 0 beyond the image. */
static void transform(const float basis[SIDE][SIDE], const float *plane, size_t width, size_t rows,
                      size_t column, size_t row, float *out)
{
    float block[SIDE][SIDE] = {{0}}, turned[SIDE][SIDE];
    size_t across = width - column < SIDE ? width - column : SIDE;
    for (size_t y = 0; y < SIDE && row + y < rows; y++) {
        memcpy(block[y], plane + (row + y) * width + column, across * sizeof *plane);
    }
    wave_columns(basis, (const float(*)[SIDE])block, turned);
    wave_columns(basis, (const float(*)[SIDE])turned, block);
    for (int i = 0; i < BLOCK; i++) {
        out[i] = block[zigzag[i] / SIDE][zigzag[i] % SIDE];
    }
}

/* Calls `visit` for the blocks of a component in one row of MCUs that hold samples. */
#define FOR_BLOCKS(geometry, i, mcu_row, row, column)                                              \
    for (size_t row = 0;                                                                           \
         row < (size_t)(geometry)->components[i].down &&                                           \
         (mcu_row) * (size_t)(geometry)->components[i].down + row <                                \
             (geometry)->components[i].blocks_down;                                                \
         row++)                                                                                    \
        for (size_t column = 0; column < (geometry)->components[i].blocks_across; column++)

static size_t coefficient_at(const struct geometry *geometry, int component, size_t row,
                             size_t column)
{
    return geometry->start[component] +
           (row * geometry->components[component].padded_across + column) * BLOCK;
}

static void transform_row(const struct window *window, const float basis[SIDE][SIDE],
                          size_t mcu_row)
{
    const struct geometry *geometry = window->geometry;
    for (int i = 0; i < geometry->count; i++) {
        const struct component *component = &geometry->components[i];
        const float *plane = i ? window->chroma[i - 1] : window->planes[0];
        size_t shrink = geometry->mcu_height / SIDE / (size_t)component->down;
        size_t above = window->top / shrink;
        size_t rows = (window->bottom - window->top + shrink - 1) / shrink;
        FOR_BLOCKS(geometry, i, mcu_row, row, column)
        {
            size_t at = (mcu_row * (size_t)component->down + row) * SIDE;
            transform(basis, plane, component->width, rows, column * SIDE, at - above,
                      window->by_coefficients + (mcu_row - window->first) * geometry->row_size +
                          coefficient_at(geometry, i, row, column));
        }
    }
}

/* What coefficients are off by, in their units. */
static void errors_of(const struct jpeg_kernels *kernels, const struct plan *plan, int component,
                      const int16_t *coefficients, float errors[BLOCK])
{
    int16_t levels[BLOCK];
    quantise_block(kernels, plan, component, coefficients, levels);
    for (int i = 0; i < BLOCK; i++) {
        int32_t shown = levels[i] * plan->quantisers[component].step[i] * (1 << COEFFICIENT_BITS);
        errors[i] = (float)(shown - coefficients[i]) * (1.0f / (1 << COEFFICIENT_BITS));
    }
}

static void weigh_row(struct window *window, const struct jpeg_kernels *kernels,
                      const struct plan *plan, size_t mcu_row, const int16_t *coefficients)
{
    const struct geometry *geometry = window->geometry;
    const float *gradients =
        window->by_coefficients + (mcu_row - window->first) * geometry->row_size;
    for (int i = 0; i < geometry->count; i++) {
        FOR_BLOCKS(geometry, i, mcu_row, row, column)
        {
            size_t at = coefficient_at(geometry, i, row, column);
            float errors[BLOCK];
            errors_of(kernels, plan, i, coefficients + at, errors);
            for (int j = 0; j < BLOCK; j++) {
                window->products[i][j] += (double)(errors[j] * gradients[at + (size_t)j]);
                window->squares[i][j] += (double)(errors[j] * errors[j]);
            }
        }
    }
}

static float clipped(float value, float most)
{
    return value < -most ? -most : value > most ? most : value;
}

static void move_row(const struct window *window, const struct jpeg_kernels *kernels,
                     const struct plan *plan, size_t mcu_row, const int16_t *coefficients,
                     int16_t *targets)
{
    const struct geometry *geometry = window->geometry;
    const float *gradients =
        window->by_coefficients + (mcu_row - window->first) * geometry->row_size;
    for (int i = 0; i < geometry->count; i++) {
        float inverse[BLOCK];
        for (int j = 0; j < BLOCK; j++) {
            double slope = window->products[i][j];
            inverse[j] = slope > 0.0 ? (float)(window->squares[i][j] / slope) : 0.0f;
        }
        FOR_BLOCKS(geometry, i, mcu_row, row, column)
        {
            size_t at = coefficient_at(geometry, i, row, column);
            float errors[BLOCK];
            errors_of(kernels, plan, i, coefficients + at, errors);
            for (size_t j = 0; j < BLOCK; j++) {
                float step = (float)plan->quantisers[i].step[j];
                float off = inverse[j] > 0.0f
                                ? clipped(errors[j] - gradients[at + j] * inverse[j], FARTHEST * step)
                                : 0.0f;
                off *= (j == 0 ? OF_DC : i == 0 ? OF_LUMA : OF_CHROMA) * (1 << COEFFICIENT_BITS);
                float target = clipped((float)coefficients[at + j] + off, 32767.0f);
                targets[at + j] = (int16_t)(target < 0.0f ? target - .5f : target + .5f);
            }
        }
    }
}

static int refine_window(struct window *window, const struct jpeg_kernels *kernels,
                         const struct plan *plan, const uint8_t *original, const uint8_t *shown,
                         const int16_t *coefficients, int16_t *targets)
{
    const struct geometry *geometry = window->geometry;
    int bands = geometry->subsampling == GREY ? 1 : 3;
    size_t skip = window->top * geometry->width * (size_t)bands;
    size_t rows = window->bottom - window->top;
    if (gradient_of_sum(original + skip, shown + skip, bands, geometry->width, rows,
                        window->planes)) {
        return -1;
    }
    if (bands == 3) {
        by_components(window);
        narrow_chroma(window);
    }
    float basis[SIDE][SIDE];
    basis_of(basis);
    memset(window->products, 0, sizeof window->products);
    memset(window->squares, 0, sizeof window->squares);
    size_t size = geometry->row_size;
    for (size_t row = window->first; row < window->last; row++) {
        transform_row(window, (const float(*)[SIDE])basis, row);
        weigh_row(window, kernels, plan, row, coefficients + row * size);
    }
    for (size_t row = window->first; row < window->last; row++) {
        move_row(window, kernels, plan, row, coefficients + row * size, targets + row * size);
    }
    return 0;
}

int refine_targets(const struct geometry *geometry, const struct jpeg_kernels *kernels,
                   const struct plan *plan, const uint8_t *original, const uint8_t *shown,
                   const int16_t *coefficients, int16_t *targets)
{
    size_t width = geometry->width, height = geometry->height;
    size_t wanted = WINDOW / width < LEAST_ROWS ? LEAST_ROWS : WINDOW / width;
    size_t count = (height + wanted - 1) / wanted;
    size_t mcus = (geometry->mcus_down + count - 1) / count;
    size_t most = mcus * geometry->mcu_height + 2 * MARGIN;
    float *memory = malloc((5 * width * most + mcus * geometry->row_size) * sizeof *memory);
    if (!memory) {
        return -1;
    }
    struct window window = {.geometry = geometry};
    for (size_t i = 0; i < MOST_COMPONENTS; i++) {
        window.planes[i] = memory + i * width * most;
    }
    window.chroma[0] = memory + 3 * width * most;
    window.chroma[1] = memory + 4 * width * most;
    window.by_coefficients = memory + 5 * width * most;
    int result = 0;
    for (size_t first = 0; first < geometry->mcus_down && !result; first += mcus) {
        window.first = first;
        window.last = first + mcus < geometry->mcus_down ? first + mcus : geometry->mcus_down;
        size_t top = first * geometry->mcu_height, bottom = window.last * geometry->mcu_height;
        window.top = top > MARGIN ? top - MARGIN : 0;
        window.bottom = bottom + MARGIN < height ? bottom + MARGIN : height;
        result = refine_window(&window, kernels, plan, original, shown, coefficients, targets);
    }
    free(memory);
    return result;
}
