/* Tokens to bits: T.81, F.1.2 and G.1.2. */
#include <string.h>

#include "jpeg.h"

enum { ROOM = 4096, MARGIN = 16, LONGEST_TOKEN = 3, END_OF_BLOCK = 0, ZERO_RUN = 0xF0 };

/* Bits on their way out, through a small buffer. */
struct writer {
    struct bytes *out;
    uint64_t pending;
    int held;
    uint8_t buffer[ROOM];
    size_t used;
};

static void flush(struct writer *writer)
{
    bytes_append(writer->out, writer->buffer, writer->used);
    writer->used = 0;
}

/* `length` is at most 32. */
static inline void put(struct writer *writer, uint32_t value, int length)
{
    writer->pending = writer->pending << length | value;
    writer->held += length;
    while (writer->held >= 8) {
        writer->held -= 8;
        uint8_t byte = (uint8_t)(writer->pending >> writer->held);
        writer->buffer[writer->used++] = byte;
        if (byte == 0xFF) {
            writer->buffer[writer->used++] = 0;
        }
    }
    if (writer->used > ROOM - MARGIN) {
        flush(writer);
    }
}

/* Fills the last byte with ones. */
static void finish(struct writer *writer)
{
    int missing = -writer->held & 7;
    put(writer, (1u << missing) - 1, missing);
    flush(writer);
}

/* Whose turn it is in a scan of several components, or of all coefficients. */
struct order {
    const struct geometry *geometry;
    struct tokens *tokens;
    struct huffman dc[2], ac[2];
    int has_ac;
    /* Component, block of it in the MCU, and coefficient that comes next. */
    int component, block, at;
};

static void next_block(struct order *order)
{
    const struct component *component = &order->geometry->components[order->component];
    order->at = 0;
    if (++order->block == component->across * component->down) {
        order->block = 0;
        order->component = (order->component + 1) % order->geometry->count;
    }
}

/* Moves on behind a symbol. */
static void advance(struct order *order, int symbol)
{
    if (order->at == 0) {
        order->at = 1;
        if (!order->has_ac) {
            next_block(order);
        }
        return;
    }
    order->at += (symbol >> 4) + 1;
    if (symbol == END_OF_BLOCK || order->at > BLOCK - 1) {
        next_block(order);
    }
}

/* Reads tokens, which may be cut anywhere, and writes their bits. */
struct translation {
    struct writer writer;
    /* A band's own code, or NULL where there is an order. */
    const struct huffman *huffman;
    const struct band *band;
    struct order *order;
    uint8_t token[LONGEST_TOKEN];
    int held, wanted, length;
};

static const struct huffman *code_of(const struct translation *translation)
{
    const struct order *order = translation->order;
    if (!order) {
        return translation->huffman;
    }
    return order->at ? &order->ac[order->component > 0] : &order->dc[order->component > 0];
}

static const struct band *band_of(const struct translation *translation)
{
    const struct order *order = translation->order;
    if (!order) {
        return translation->band;
    }
    return order->at ? order->tokens->ac[order->component > 0]
                     : &order->tokens->dc[order->component > 0];
}

static void translate(void *context, const uint8_t *data, size_t size)
{
    struct translation *translation = context;
    for (size_t i = 0; i < size; i++) {
        translation->token[translation->held++] = data[i];
        if (translation->held == 1) {
            translation->length = extra_bits(band_of(translation), data[i]);
            translation->wanted = 1 + (translation->length + 7) / 8;
        }
        if (translation->held < translation->wanted) {
            continue;
        }
        const struct huffman *huffman = code_of(translation);
        const uint8_t *token = translation->token;
        uint32_t extra = translation->wanted == 1   ? 0
                         : translation->wanted == 2 ? token[1]
                                                    : (uint32_t)token[1] << 8 | token[2];
        put(&translation->writer, (uint32_t)huffman->code[token[0]] << translation->length | extra,
            huffman->length[token[0]] + translation->length);
        if (translation->order) {
            advance(translation->order, token[0]);
        }
        translation->held = 0;
    }
}

/* The bands of a progressive file, in order. */
struct bands {
    struct band *band[MOST_COMPONENTS * MOST_PARTS];
    int component[MOST_COMPONENTS * MOST_PARTS];
    int count;
};

static struct bands bands_of(const struct geometry *geometry, struct tokens *tokens,
                             const struct script *script)
{
    struct bands bands = {.count = 0};
    for (int i = 0; i < geometry->count && script; i++) {
        for (int part = 0; part < script->count[i]; part++, bands.count++) {
            bands.band[bands.count] = &tokens->ac[i][part];
            bands.component[bands.count] = i;
        }
    }
    return bands;
}

static void destine(struct destined *table, int class, int destination, const uint32_t *counts)
{
    table->class = class;
    table->destination = destination;
    huffman_from(&table->huffman, counts);
}

/* Tables of the bands from `from` on, as many as there are destinations; how many. */
static int destine_bands(struct destined *tables, const struct bands *bands, int from)
{
    int count = 0;
    for (; count < HUFFMAN_DESTINATIONS && from + count < bands->count; count++) {
        destine(&tables[count], 1, count, bands->band[from + count]->counts);
    }
    return count;
}

static void write_band(struct bytes *out, int component, struct band *band,
                       const struct destined *table)
{
    write_scan_header(out, component, 1, band->first, band->last, table->destination);
    struct translation translation = {
        .writer = {.out = out}, .huffman = &table->huffman, .band = band};
    bytes_drain(band->tokens, translate, &translation);
    finish(&translation.writer);
}

/* A scan of all components: DC alone, or everything. */
static void write_together(struct bytes *out, const struct geometry *geometry,
                           struct tokens *tokens, const struct order *order)
{
    write_scan_header(out, 0, geometry->count, 0, order->has_ac ? BLOCK - 1 : 0, 0);
    struct order started = *order;
    struct translation translation = {.writer = {.out = out}, .order = &started};
    bytes_drain(&tokens->dc_tokens, translate, &translation);
    finish(&translation.writer);
}

void tokens_prepare(struct tokens *tokens, const struct script *script)
{
    memset(tokens, 0, sizeof *tokens);
    for (int i = 0; i < 2; i++) {
        tokens->dc[i].tokens = &tokens->dc_tokens;
    }
    for (int i = 0; i < MOST_COMPONENTS; i++) {
        for (int part = 0; part < MOST_PARTS; part++) {
            struct band *band = &tokens->ac[i][part];
            band->first = script ? part_first(script, i, part) : 1;
            band->last = script ? script->last[i][part] : BLOCK - 1;
            band->is_sequential = !script;
            band->tokens = script ? &tokens->band_tokens[i][part] : &tokens->dc_tokens;
        }
    }
}

void tokens_free(struct tokens *tokens)
{
    bytes_free(&tokens->dc_tokens);
    for (int i = 0; i < MOST_COMPONENTS; i++) {
        for (int part = 0; part < MOST_PARTS; part++) {
            bytes_free(&tokens->band_tokens[i][part]);
        }
    }
}

void write_scans(struct bytes *out, const struct geometry *geometry, struct tokens *tokens,
                 const struct script *script)
{
    struct order order = {.geometry = geometry, .tokens = tokens, .has_ac = !script};
    const struct bands bands = bands_of(geometry, tokens, script);
    struct destined tables[2 + HUFFMAN_DESTINATIONS];
    int shared = 0;
    for (int i = 0; i < (geometry->count > 1 ? 2 : 1); i++) {
        destine(&tables[shared], 0, i, tokens->dc[i].counts);
        order.dc[i] = tables[shared++].huffman;
        if (order.has_ac) {
            destine(&tables[shared], 1, i, tokens->ac[i][0].counts);
            order.ac[i] = tables[shared++].huffman;
        }
    }
    /* One segment for all that has room takes fewer bytes than one for each. */
    int count = destine_bands(tables + shared, &bands, 0);
    write_huffman(out, tables, shared + count);
    write_together(out, geometry, tokens, &order);
    for (int i = 0; i < bands.count; i++) {
        int place = i % HUFFMAN_DESTINATIONS;
        if (i && place == 0) {
            count = destine_bands(tables + shared, &bands, i);
            write_huffman(out, tables + shared, count);
        }
        write_band(out, bands.component[i], bands.band[i], &tables[shared + place]);
    }
}
