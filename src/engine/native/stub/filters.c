/* The seccomp programs, as the build wrote them. */
#include <linux/filter.h>
#include "stub.h"
#include "filters.h"

#define PROGRAM(code) { sizeof(code) / sizeof((code)[0]), code }

const struct filter_program space_filter = PROGRAM(space_code);
const struct filter_program reaper_filter = PROGRAM(reaper_code);
