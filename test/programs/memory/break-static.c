/* test: flags -pthread -static -no-pie */
#include "break.h"
