/* What scans consist of, before there are Huffman codes for it: T.81, F.1.2 and G.1.2. */
#include <stdlib.h>
#include <string.h>

#include "jpeg.h"

enum { CHUNK = 32 << 10, MOST_BLOCKS_IN_RUN = 0x7FFF, ZERO_RUN = 0xF0, LONGEST_TOKEN = 3 };

struct chunk {
    struct chunk *next;
    size_t used;
    uint8_t data[CHUNK];
};

static struct chunk *last_chunk(struct bytes *bytes)
{
    if (!bytes->last || bytes->last->used == CHUNK) {
        struct chunk *chunk = malloc(sizeof *chunk);
        if (!chunk) {
            bytes->failed = 1;
            return NULL;
        }
        chunk->next = NULL;
        chunk->used = 0;
        *(bytes->last ? &bytes->last->next : &bytes->first) = chunk;
        bytes->last = chunk;
    }
    return bytes->last;
}

void bytes_append(struct bytes *bytes, const uint8_t *data, size_t size)
{
    while (size && !bytes->failed) {
        struct chunk *chunk = last_chunk(bytes);
        if (chunk) {
            size_t part = CHUNK - chunk->used < size ? CHUNK - chunk->used : size;
            memcpy(chunk->data + chunk->used, data, part);
            chunk->used += part;
            bytes->size += part;
            data += part;
            size -= part;
        }
    }
}

void bytes_drain(struct bytes *bytes, void (*visit)(void *, const uint8_t *, size_t), void *context)
{
    struct chunk *chunk = bytes->first;
    while (chunk) {
        struct chunk *next = chunk->next;
        visit(context, chunk->data, chunk->used);
        free(chunk);
        chunk = next;
    }
    bytes->first = bytes->last = NULL;
    bytes->size = 0;
}

static void forget(void *context, const uint8_t *data, size_t size)
{
    (void)context, (void)data, (void)size;
}

void bytes_free(struct bytes *bytes)
{
    bytes_drain(bytes, forget, NULL);
}

/* Counts a symbol, and keeps it with its extra bits. */
static void emit(struct band *band, int symbol, uint32_t extra, int length)
{
    band->counts[symbol]++;
    if (band->tokens) {
        uint8_t spare[LONGEST_TOKEN];
        struct chunk *chunk = band->tokens->last;
        int has_room = chunk && CHUNK - chunk->used >= LONGEST_TOKEN;
        uint8_t *token = has_room ? chunk->data + chunk->used : spare;
        size_t size = 0;
        token[size++] = (uint8_t)symbol;
        if (length > 8) {
            token[size++] = (uint8_t)(extra >> 8);
        }
        if (length > 0) {
            token[size++] = (uint8_t)extra;
        }
        if (has_room) {
            chunk->used += size;
            band->tokens->size += size;
        } else {
            bytes_append(band->tokens, token, size);
        }
    }
}

static void emit_value(struct band *band, int run, int value)
{
    int length = magnitude_bits((unsigned)(value < 0 ? -value : value));
    uint32_t mask = (UINT32_C(1) << length) - 1;
    emit(band, run << 4 | length, (uint32_t)(value < 0 ? value - 1 : value) & mask, length);
}

static void end_run(struct band *band)
{
    if (band->run) {
        int length = magnitude_bits(band->run) - 1;
        emit(band, length << 4, band->run & ((1u << length) - 1), length);
        band->run = 0;
    }
}

void band_block(struct band *band, const int16_t *levels, uint64_t nonzero)
{
    nonzero &= bits_between(band->first, band->last);
    int next = band->first;
    if (nonzero) {
        end_run(band);
    }
    for (; nonzero; nonzero &= nonzero - 1) {
        int at = __builtin_ctzll(nonzero);
        int run = at - next;
        for (; run >= RUNS; run -= RUNS) {
            emit(band, ZERO_RUN, 0, 0);
        }
        emit_value(band, run, levels[at]);
        next = at + 1;
    }
    if (next <= band->last) {
        band->run++;
        if (band->is_sequential || band->run == MOST_BLOCKS_IN_RUN) {
            end_run(band);
        }
    }
}

void band_difference(struct band *band, int difference)
{
    emit_value(band, 0, difference);
}

void band_finish(struct band *band)
{
    end_run(band);
}
