/*
 * What libjpeg makes of a file, for the fuzzer: apart from the encoder, as it needs libjpeg's
 * headers, which not every machine has.
 */
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "decode_jpeg.h"

struct complaints {
    struct jpeg_error_mgr manager;
    jmp_buf exit;
};

/* Whatever libjpeg has to say, a warning or an error, ends the decoding. */
static void complain(j_common_ptr decoder)
{
    char text[JMSG_LENGTH_MAX];
    decoder->err->format_message(decoder, text);
    fprintf(stderr, "libjpeg: %s\n", text);
    longjmp(((struct complaints *)decoder->err)->exit, 1);
}

static void heed(j_common_ptr decoder, int level)
{
    if (level < 0) {
        complain(decoder);
    }
}

int decodes_to(const uint8_t *file, size_t size, const uint8_t *shown, size_t shown_size)
{
    struct jpeg_decompress_struct decoder;
    struct complaints complaints;
    uint8_t *volatile line = NULL;
    volatile int same = 0;
    decoder.err = jpeg_std_error(&complaints.manager);
    complaints.manager.error_exit = complain;
    complaints.manager.emit_message = heed;
    if (setjmp(complaints.exit) == 0) {
        jpeg_create_decompress(&decoder);
        jpeg_mem_src(&decoder, file, size);
        jpeg_read_header(&decoder, TRUE);
        jpeg_start_decompress(&decoder);
        const size_t row = (size_t)decoder.output_width * (size_t)decoder.output_components;
        same = row * decoder.output_height == shown_size;
        line = malloc(row);
        while (same && line && decoder.output_scanline < decoder.output_height) {
            const size_t at = decoder.output_scanline * row;
            uint8_t *rows[1] = {line};
            jpeg_read_scanlines(&decoder, rows, 1);
            same = memcmp(line, shown + at, row) == 0;
        }
        if (same) {
            jpeg_finish_decompress(&decoder);
        }
    } else {
        same = 0;
    }
    jpeg_destroy_decompress(&decoder);
    free(line);
    return same;
}
