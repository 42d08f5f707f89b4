/* test: flags -pthread */
#include "break.h"
