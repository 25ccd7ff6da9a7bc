/* Marker segments: T.81, B.2; JFIF is ITU-T T.871, 10.1. */
#include <string.h>

#include "jpeg.h"

enum { SOF0 = 0xC0, SOF2 = 0xC2, DHT = 0xC4, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, DQT = 0xDB,
       APP0 = 0xE0,
       /* Eight Huffman tables. */
       LONGEST_SEGMENT = 4 + 2 * HUFFMAN_DESTINATIONS * (1 + 16 + 256) };

struct segment {
    uint8_t data[LONGEST_SEGMENT];
    size_t size;
};

static void put(struct segment *segment, size_t value)
{
    segment->data[segment->size++] = (uint8_t)value;
}

static void put_two(struct segment *segment, size_t value)
{
    put(segment, value >> 8);
    put(segment, value);
}

static struct segment begin(int marker)
{
    struct segment segment = {.size = 0};
    put(&segment, 0xFF);
    put(&segment, (size_t)marker);
    put_two(&segment, 0);
    return segment;
}

static void finish(struct bytes *out, struct segment *segment)
{
    size_t length = segment->size - 2;
    segment->data[2] = (uint8_t)(length >> 8);
    segment->data[3] = (uint8_t)length;
    bytes_append(out, segment->data, segment->size);
}

static void write_jfif(struct bytes *out)
{
    /* Version 1.1, square pixels, no thumbnail. */
    static const uint8_t jfif[] = {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
    struct segment segment = begin(APP0);
    memcpy(segment.data + segment.size, jfif, sizeof jfif);
    segment.size += sizeof jfif;
    finish(out, &segment);
}

void write_start(struct bytes *out, const struct geometry *geometry,
                 const struct quantiser quantisers[MOST_COMPONENTS], int is_progressive)
{
    const uint8_t start[2] = {0xFF, SOI};
    bytes_append(out, start, sizeof start);
    write_jfif(out);
    struct segment tables = begin(DQT);
    struct segment frame = begin(is_progressive ? SOF2 : SOF0);
    put(&frame, 8);
    put_two(&frame, geometry->height);
    put_two(&frame, geometry->width);
    put(&frame, (size_t)geometry->count);
    for (int i = 0; i < geometry->count; i++) {
        const struct component *component = &geometry->components[i];
        int table = 0;
        while (memcmp(quantisers[table].step, quantisers[i].step, BLOCK) != 0) {
            table++;
        }
        if (table == i) {
            put(&tables, (size_t)table);
            memcpy(tables.data + tables.size, quantisers[i].step, BLOCK);
            tables.size += BLOCK;
        }
        put(&frame, (size_t)i + 1);
        put(&frame, (size_t)(component->across << 4 | component->down));
        put(&frame, (size_t)table);
    }
    finish(out, &tables);
    finish(out, &frame);
}

void write_huffman(struct bytes *out, const struct destined *tables, int count)
{
    struct segment segment = begin(DHT);
    for (int i = 0; i < count; i++) {
        const struct huffman *huffman = &tables[i].huffman;
        put(&segment, (size_t)(tables[i].class << 4 | tables[i].destination));
        memcpy(segment.data + segment.size, huffman->counts + 1, 16);
        segment.size += 16;
        memcpy(segment.data + segment.size, huffman->symbols, (size_t)huffman->used);
        segment.size += (size_t)huffman->used;
    }
    finish(out, &segment);
}

void write_scan_header(struct bytes *out, int first_component, int count, int first, int last,
                       int table)
{
    struct segment segment = begin(SOS);
    put(&segment, (size_t)count);
    for (int i = first_component; i < first_component + count; i++) {
        int shared = i ? 1 : 0;
        put(&segment, (size_t)i + 1);
        put(&segment, (size_t)(first ? table : shared << 4 | shared));
    }
    put(&segment, (size_t)first);
    put(&segment, (size_t)last);
    put(&segment, 0);
    finish(out, &segment);
}

void write_end(struct bytes *out)
{
    const uint8_t end[2] = {0xFF, EOI};
    bytes_append(out, end, sizeof end);
}
