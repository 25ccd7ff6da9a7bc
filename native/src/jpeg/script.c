/*
 * Which coefficients share a scan of a progressive file. Each scan has a Huffman code of its own, and
 * blocks that have nothing in it cost next to nothing: flat pictures want few scans, busy ones more.
 */
#include <string.h>

#include "jpeg.h"

/* The last coefficients that a scan may have, in zigzag order: ends of diagonals. */
static const uint8_t ends[CUTS] = {2, 5, 9, 14, 20, 27, 63};

/* DHT, which several scans share, and SOS with all that is not a symbol, and what fills the last byte;
 * in bits. */
enum { SCAN_OVERHEAD = 8 * (1 + 1 + 16 + 2 + 8) + 4 };

static int survey_first(int from)
{
    return from ? ends[from - 1] + 1 : 1;
}

void survey_prepare(struct survey *survey)
{
    memset(survey, 0, sizeof *survey);
    for (int i = 0; i < MOST_COMPONENTS; i++) {
        for (int from = 0; from < CUTS; from++) {
            for (int to = from; to < CUTS; to++) {
                survey->bands[i][from][to].first = survey_first(from);
                survey->bands[i][from][to].last = ends[to];
            }
        }
    }
}

void survey_block(struct survey *survey, int component, const int16_t *levels, uint64_t nonzero)
{
    for (int from = 0; from < CUTS; from++) {
        for (int to = from; to < CUTS; to++) {
            band_block(&survey->bands[component][from][to], levels, nonzero);
        }
    }
}

/* Bits that a band takes as a scan. */
static uint64_t bits_of(struct band *band, uint32_t one_in)
{
    band_finish(band);
    struct huffman huffman;
    huffman_from(&huffman, band->counts);
    uint64_t bits = 0;
    for (int symbol = 0; symbol < 256; symbol++) {
        bits += (uint64_t)band->counts[symbol] *
                (uint64_t)(huffman.length[symbol] + extra_bits(band, symbol));
    }
    return bits * one_in + 8 * (uint64_t)huffman.used + SCAN_OVERHEAD;
}

void choose_script(struct script *script, struct survey *survey, int components, uint32_t one_in)
{
    for (int i = 0; i < components; i++) {
        /* The least bits of all up to each end, and where the last scan of those begins. */
        uint64_t least[CUTS + 1] = {0};
        int begins[CUTS + 1] = {0}, scans[CUTS + 1] = {0};
        for (int to = 0; to < CUTS; to++) {
            least[to + 1] = UINT64_MAX;
            for (int from = 0; from <= to; from++) {
                uint64_t bits = least[from] + bits_of(&survey->bands[i][from][to], one_in);
                if (bits < least[to + 1] && scans[from] < MOST_PARTS) {
                    least[to + 1] = bits;
                    begins[to + 1] = from;
                    scans[to + 1] = scans[from] + 1;
                }
            }
        }
        script->count[i] = scans[CUTS];
        for (int to = CUTS, at = scans[CUTS]; to > 0; to = begins[to]) {
            script->last[i][--at] = ends[to - 1];
        }
    }
}

int part_first(const struct script *script, int component, int part)
{
    return part ? script->last[component][part - 1] + 1 : 1;
}
