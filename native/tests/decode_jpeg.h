/* Whether libjpeg decodes a file, without a warning, to the very pixels of `shown`. */
#include <stddef.h>
#include <stdint.h>

int decodes_to(const uint8_t *file, size_t size, const uint8_t *shown, size_t shown_size);
