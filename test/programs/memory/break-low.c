/* Of a program that lies, and has its heap, below 4 GiB. */
/* test: flags -pthread -no-pie */
#include "break.h"
