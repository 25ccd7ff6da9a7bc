/* The encoder as Python sees it. */
#include "jpeg.h"

#include <stdlib.h>
#include <string.h>

#include "../../cdef.h"
#include "../ssimulacra2_gradient.h"

/* A quarter of the built-in tables: few steps are above 1. */
enum { LARGEST_EXACT_SCALE = 64 };

/* Of that many rows of MCUs scans are chosen by each, of more by every second, third, ... */
enum { SURVEYED_ROWS = 8 };

struct tinyjpg_jpeg {
    struct geometry geometry;
    const struct jpeg_kernels *kernels;
    struct analysis *analysis;
    struct plan plan;
    /* All rows of MCUs, or NULL where they are coded as they come. */
    int16_t *coefficients;
    /* The same, moved to where the metric would rather have them; NULL until then. */
    int16_t *targets;
    size_t mcu_rows;
    size_t rows;
    struct tokens tokens;
    /* DC of the last block of each component. */
    int previous_dc[MOST_COMPONENTS];
    /* Levels of a row of MCUs, and which of them are not 0. */
    int16_t *levels;
    uint64_t *nonzero;
    struct bytes file;
};

/* A row of MCUs of coefficients, and what is to be done with each block's levels. */
struct pass {
    uint64_t (*quantise)(const struct jpeg_kernels *, const struct plan *, int, const int16_t *,
                         int16_t *);
    void (*use)(void *context, int component, size_t row, size_t column, const int16_t *levels,
                uint64_t nonzero);
    void *context;
};

/* What is quantised of a kept picture. */
static const int16_t *targets_of(const tinyjpg_jpeg *jpeg)
{
    return jpeg->plan.is_refined ? jpeg->targets : jpeg->coefficients;
}

/* Blocks beyond the image are passed over. */
static void pass_row(const tinyjpg_jpeg *jpeg, const struct pass *pass, size_t mcu_row,
                     const int16_t *coefficients)
{
    const struct geometry *geometry = &jpeg->geometry;
    int16_t levels[BLOCK];
    for (int i = 0; i < geometry->count; i++) {
        const struct component *component = &geometry->components[i];
        size_t down = (size_t)component->down;
        for (size_t row = 0; row < down && mcu_row * down + row < component->blocks_down; row++) {
            const int16_t *block = coefficients + geometry->start[i] +
                                   row * component->padded_across * BLOCK;
            for (size_t x = 0; x < component->blocks_across; x++, block += BLOCK) {
                uint64_t nonzero = pass->quantise(jpeg->kernels, &jpeg->plan, i, block, levels);
                pass->use(pass->context, i, mcu_row * down + row, x, levels, nonzero);
            }
        }
    }
}

/* ---- Passes over the coefficients ---- */

/* Symbols by component and part. */
struct count {
    const struct script *script;
    struct band (*bands)[MOST_PARTS];
};

static void count_block(void *context, int component, size_t row, size_t column,
                        const int16_t *levels, uint64_t nonzero)
{
    (void)row, (void)column;
    const struct count *count = context;
    for (int part = 0; part < count->script->count[component]; part++) {
        band_block(&count->bands[component][part], levels, nonzero);
    }
}

static void survey_one(void *context, int component, size_t row, size_t column,
                       const int16_t *levels, uint64_t nonzero)
{
    (void)row, (void)column;
    survey_block(context, component, levels, nonzero);
}

static void show_block(void *context, int component, size_t row, size_t column,
                       const int16_t *levels, uint64_t nonzero)
{
    const struct planes *planes = context;
    const struct tinyjpg_jpeg *jpeg = planes->owner;
    planes_block(planes, component, row, column, &jpeg->plan.quantisers[component], levels,
                 nonzero);
}

static size_t block_at(const struct geometry *geometry, int component, size_t row, size_t column)
{
    return geometry->start[component] / BLOCK +
           row * geometry->components[component].padded_across + column;
}

static void code_block(void *context, int component, size_t row, size_t column,
                       const int16_t *levels, uint64_t nonzero)
{
    tinyjpg_jpeg *jpeg = context;
    size_t at = block_at(&jpeg->geometry, component,
                         row % (size_t)jpeg->geometry.components[component].down, column);
    jpeg->nonzero[at] = nonzero;
    if (jpeg->plan.is_progressive) {
        jpeg->levels[at] = levels[0];
        struct count count = {&jpeg->plan.script, jpeg->tokens.ac};
        count_block(&count, component, row, column, levels, nonzero);
    } else {
        memcpy(jpeg->levels + at * BLOCK, levels, BLOCK * sizeof *levels);
    }
}

/* The part of the scan of all components that is one block's. */
static void code_in_order(tinyjpg_jpeg *jpeg, int component, size_t row, size_t column, int is_real)
{
    /* One beyond the image repeats the last DC, and has nothing else. */
    static const int16_t nothing[BLOCK];
    const int16_t *levels = nothing;
    uint64_t nonzero = 0;
    int dc = jpeg->previous_dc[component];
    if (is_real) {
        size_t at = block_at(&jpeg->geometry, component, row, column);
        levels = jpeg->levels + (jpeg->plan.is_progressive ? at : at * BLOCK);
        nonzero = jpeg->nonzero[at];
        dc = levels[0];
    }
    band_difference(&jpeg->tokens.dc[component > 0], dc - jpeg->previous_dc[component]);
    jpeg->previous_dc[component] = dc;
    if (!jpeg->plan.is_progressive) {
        band_block(jpeg->tokens.ac[component > 0], levels, nonzero);
    }
}

static void code_row(tinyjpg_jpeg *jpeg, size_t mcu_row, const int16_t *coefficients)
{
    const struct geometry *geometry = &jpeg->geometry;
    pass_row(jpeg, &(struct pass){quantise_block, code_block, jpeg}, mcu_row, coefficients);
    for (size_t mcu = 0; mcu < geometry->mcus_across; mcu++) {
        for (int i = 0; i < geometry->count; i++) {
            const struct component *component = &geometry->components[i];
            size_t across = (size_t)component->across, down = (size_t)component->down;
            for (size_t block = 0; block < across * down; block++) {
                size_t row = block / across, column = mcu * across + block % across;
                code_in_order(jpeg, i, row, column,
                              column < component->blocks_across &&
                                  mcu_row * down + row < component->blocks_down);
            }
        }
    }
}

/* ---- What Python calls ---- */

static int take_row(void *context, const int16_t *coefficients)
{
    tinyjpg_jpeg *jpeg = context;
    size_t row = jpeg->mcu_rows++, size = jpeg->geometry.row_size;
    if (jpeg->coefficients) {
        memcpy(jpeg->coefficients + row * size, coefficients, size * sizeof *coefficients);
    } else {
        code_row(jpeg, row, coefficients);
    }
    return 0;
}

static tinyjpg_jpeg *new_picture(size_t width, size_t height, int subsampling, int averaging,
                                 int is_kept)
{
    tinyjpg_jpeg *jpeg = calloc(1, sizeof *jpeg);
    if (!jpeg || geometry_of(&jpeg->geometry, width, height, subsampling, averaging)) {
        free(jpeg);
        return NULL;
    }
    jpeg->kernels = jpeg_kernels();
    jpeg->analysis = analysis_new(&jpeg->geometry, jpeg->kernels, take_row, jpeg);
    size_t size = jpeg->geometry.row_size, rows = jpeg->geometry.mcus_down;
    int fits = rows <= SIZE_MAX / sizeof *jpeg->coefficients / size;
    if (is_kept && fits) {
        jpeg->coefficients = malloc(rows * size * sizeof *jpeg->coefficients);
    }
    jpeg->levels = malloc(size * sizeof *jpeg->levels);
    jpeg->nonzero = malloc(size / BLOCK * sizeof *jpeg->nonzero);
    if (!jpeg->analysis || !jpeg->levels || !jpeg->nonzero || (is_kept && !jpeg->coefficients)) {
        tinyjpg_jpeg_free(jpeg);
        return NULL;
    }
    return jpeg;
}

tinyjpg_jpeg *tinyjpg_jpeg_new(size_t width, size_t height, int subsampling, int averaging)
{
    return new_picture(width, height, subsampling, averaging, 1);
}

tinyjpg_jpeg *tinyjpg_jpeg_stream(size_t width, size_t height, const tinyjpg_jpeg *model,
                                  int is_progressive)
{
    tinyjpg_jpeg *jpeg = new_picture(width, height, (int)model->geometry.subsampling,
                                     (int)model->geometry.averaging, 0);
    if (jpeg) {
        jpeg->plan = model->plan;
        jpeg->plan.is_progressive = is_progressive;
        tokens_prepare(&jpeg->tokens, is_progressive ? &jpeg->plan.script : NULL);
    }
    return jpeg;
}

void tinyjpg_jpeg_free(tinyjpg_jpeg *jpeg)
{
    if (jpeg) {
        analysis_free(jpeg->analysis);
        tokens_free(&jpeg->tokens);
        bytes_free(&jpeg->file);
        free(jpeg->coefficients);
        free(jpeg->targets);
        free(jpeg->levels);
        free(jpeg->nonzero);
        free(jpeg);
    }
}

size_t tinyjpg_jpeg_missing(const tinyjpg_jpeg *jpeg)
{
    return jpeg->geometry.height - jpeg->rows;
}

int tinyjpg_jpeg_push(tinyjpg_jpeg *jpeg, const uint8_t *pixels, size_t rows)
{
    if (rows > tinyjpg_jpeg_missing(jpeg)) {
        return -1;
    }
    jpeg->rows += rows;
    return analysis_push(jpeg->analysis, pixels, rows);
}

/* Which scans there are, by what dead zones leave of some rows of MCUs. Returns 0, or -1. */
static int choose_scans(tinyjpg_jpeg *jpeg)
{
    struct survey *survey = malloc(sizeof *survey);
    if (!survey) {
        return -1;
    }
    survey_prepare(survey);
    size_t one_in = 1 + jpeg->mcu_rows / SURVEYED_ROWS;
    const struct pass pass = {dead_zone_block, survey_one, survey};
    for (size_t row = one_in / 2; row < jpeg->mcu_rows; row += one_in) {
        pass_row(jpeg, &pass, row, jpeg->coefficients + row * jpeg->geometry.row_size);
    }
    choose_script(&jpeg->plan.script, survey, jpeg->geometry.count, (uint32_t)one_in);
    free(survey);
    return 0;
}

/* What the symbols of the script cost, by what dead zones leave. */
static void expect_rates(tinyjpg_jpeg *jpeg)
{
    const struct script *script = &jpeg->plan.script;
    struct band bands[MOST_COMPONENTS][MOST_PARTS];
    memset(bands, 0, sizeof bands);
    for (int i = 0; i < jpeg->geometry.count; i++) {
        for (int part = 0; part < script->count[i]; part++) {
            bands[i][part].first = part_first(script, i, part);
            bands[i][part].last = script->last[i][part];
        }
    }
    struct count count = {script, bands};
    const struct pass pass = {dead_zone_block, count_block, &count};
    for (size_t row = 0; row < jpeg->mcu_rows; row++) {
        pass_row(jpeg, &pass, row, jpeg->coefficients + row * jpeg->geometry.row_size);
    }
    for (int i = 0; i < jpeg->geometry.count; i++) {
        for (int part = 0; part < script->count[i]; part++) {
            band_finish(&bands[i][part]);
            rates_from(&jpeg->plan.rates[i][part], &bands[i][part]);
        }
    }
}

int tinyjpg_jpeg_plan(tinyjpg_jpeg *jpeg, uint32_t scale, int effort, int tables)
{
    jpeg->plan.tables = tables ? DRAWING : PHOTOGRAPH;
    jpeg->plan.effort = effort;
    jpeg->plan.is_refined = 0;
    jpeg->plan.is_exact = scale <= LARGEST_EXACT_SCALE;
    for (int i = 0; i < jpeg->geometry.count; i++) {
        make_quantiser(&jpeg->plan.quantisers[i], jpeg->plan.tables, i,
                       jpeg->geometry.subsampling, scale);
    }
    if (choose_scans(jpeg)) {
        return -1;
    }
    expect_rates(jpeg);
    return 0;
}

int tinyjpg_jpeg_refine(tinyjpg_jpeg *jpeg, const uint8_t *pixels)
{
    const struct geometry *geometry = &jpeg->geometry;
    int is_small = geometry->width < SMALLEST_GRADIENT || geometry->height < SMALLEST_GRADIENT;
    if (jpeg->plan.is_exact || jpeg->plan.is_refined || is_small) {
        return 0;
    }
    size_t bands = geometry->subsampling == GREY ? 1 : 3;
    size_t count = jpeg->mcu_rows * geometry->row_size;
    if (!jpeg->targets) {
        jpeg->targets = calloc(count, sizeof *jpeg->targets);
    }
    uint8_t *shown = malloc(geometry->width * geometry->height * bands);
    int failed = !jpeg->targets || !shown || tinyjpg_jpeg_show(jpeg, shown) ||
                 refine_targets(geometry, jpeg->kernels, &jpeg->plan, pixels, shown,
                                jpeg->coefficients, jpeg->targets);
    free(shown);
    jpeg->plan.is_refined = !failed;
    return failed ? -1 : 0;
}

int tinyjpg_jpeg_show(const tinyjpg_jpeg *jpeg, uint8_t *pixels)
{
    struct planes planes = {.owner = jpeg};
    if (planes_new(&planes, &jpeg->geometry, jpeg->kernels)) {
        return -1;
    }
    const struct pass pass = {quantise_block, show_block, &planes};
    for (size_t row = 0; row < jpeg->mcu_rows; row++) {
        pass_row(jpeg, &pass, row, targets_of(jpeg) + row * jpeg->geometry.row_size);
    }
    int result = planes_show(&planes, pixels);
    planes_free(&planes);
    return result;
}

static int write_file(tinyjpg_jpeg *jpeg)
{
    struct tokens *tokens = &jpeg->tokens;
    int failed = tokens->dc_tokens.failed;
    for (int i = 0; i < MOST_COMPONENTS; i++) {
        for (int part = 0; part < MOST_PARTS; part++) {
            band_finish(&tokens->ac[i][part]);
            failed |= tokens->band_tokens[i][part].failed;
        }
    }
    write_start(&jpeg->file, &jpeg->geometry, jpeg->plan.quantisers, jpeg->plan.is_progressive);
    write_scans(&jpeg->file, &jpeg->geometry, tokens,
                jpeg->plan.is_progressive ? &jpeg->plan.script : NULL);
    write_end(&jpeg->file);
    return failed || jpeg->file.failed ? -1 : 0;
}

int tinyjpg_jpeg_write(tinyjpg_jpeg *jpeg, int is_progressive, size_t *size)
{
    bytes_free(&jpeg->file);
    jpeg->file.failed = 0;
    if (jpeg->coefficients) {
        jpeg->plan.is_progressive = is_progressive;
        memset(jpeg->previous_dc, 0, sizeof jpeg->previous_dc);
        tokens_prepare(&jpeg->tokens, is_progressive ? &jpeg->plan.script : NULL);
        for (size_t row = 0; row < jpeg->mcu_rows; row++) {
            code_row(jpeg, row, targets_of(jpeg) + row * jpeg->geometry.row_size);
        }
    }
    int result = write_file(jpeg);
    *size = jpeg->file.size;
    return result;
}

static void copy(void *context, const uint8_t *data, size_t size)
{
    uint8_t **out = context;
    memcpy(*out, data, size);
    *out += size;
}

void tinyjpg_jpeg_take(tinyjpg_jpeg *jpeg, uint8_t *out)
{
    bytes_drain(&jpeg->file, copy, &out);
}
