/* Optimal Huffman codes of at most 16 bits, none of them all ones (T.81, annex K.2). */
#include <string.h>

#include "jpeg.h"

enum { SYMBOLS = 257, NOBODY = 256, LONGEST = 16, DEEPEST = 64 };

/* How many bits the code of each symbol has, by merging the two rarest until one is left. */
static void lengths_of(uint64_t counts[SYMBOLS], int lengths[SYMBOLS])
{
    /* Those that are not merged into another yet, in order; and whom each is followed by. */
    int left[SYMBOLS], count = 0, next[SYMBOLS];
    for (int i = 0; i < SYMBOLS; i++) {
        next[i] = -1;
        lengths[i] = 0;
        if (counts[i]) {
            left[count++] = i;
        }
    }
    while (count > 1) {
        /* Of equals the later one, so that the code of all ones falls to nobody. */
        int rarest = 0, second = -1;
        for (int j = 1; j < count; j++) {
            if (counts[left[j]] <= counts[left[rarest]]) {
                second = rarest;
                rarest = j;
            } else if (second < 0 || counts[left[j]] <= counts[left[second]]) {
                second = j;
            }
        }
        int i = left[rarest], merged = left[second];
        counts[i] += counts[merged];
        for (;; i = next[i]) {
            lengths[i]++;
            if (next[i] < 0) {
                break;
            }
        }
        next[i] = merged;
        for (i = merged; i >= 0; i = next[i]) {
            lengths[i]++;
        }
        count--;
        memmove(left + second, left + second + 1, (size_t)(count - second) * sizeof *left);
    }
}

/* Shortens codes beyond 16 bits (T.81, figure K.3). */
static void limit(int by_length[DEEPEST + 1])
{
    for (int i = DEEPEST; i > LONGEST; i--) {
        while (by_length[i] > 0) {
            int j = i - 2;
            while (by_length[j] == 0) {
                j--;
            }
            by_length[i] -= 2;
            by_length[i - 1]++;
            by_length[j + 1] += 2;
            by_length[j]--;
        }
    }
}

void huffman_from(struct huffman *huffman, const uint32_t counts[256])
{
    uint64_t weights[SYMBOLS] = {[NOBODY] = 1};
    int lengths[SYMBOLS], by_length[DEEPEST + 1] = {0};
    for (int i = 0; i < NOBODY; i++) {
        weights[i] = counts[i];
    }
    lengths_of(weights, lengths);
    for (int i = 0; i < SYMBOLS; i++) {
        if (lengths[i]) {
            by_length[lengths[i]]++;
        }
    }
    limit(by_length);
    int longest = LONGEST;
    while (longest && by_length[longest] == 0) {
        longest--;
    }
    by_length[longest]--;
    memset(huffman, 0, sizeof *huffman);
    /* The symbols from the most frequent to the rarest, then codes in that order. */
    for (int length = 1; length <= DEEPEST; length++) {
        for (int i = 0; i < NOBODY; i++) {
            if (lengths[i] == length) {
                huffman->symbols[huffman->used++] = (uint8_t)i;
            }
        }
    }
    unsigned code = 0;
    int at = 0;
    for (int length = 1; length <= LONGEST; length++, code <<= 1) {
        huffman->counts[length] = (uint8_t)by_length[length];
        for (int i = 0; i < by_length[length]; i++, at++, code++) {
            huffman->code[huffman->symbols[at]] = (uint16_t)code;
            huffman->length[huffman->symbols[at]] = (uint8_t)length;
        }
    }
}
