/* What users may ask of the clock's discipline: adjtimex, clock_adjtime. How the host's clock is steered is the host's own. */
#include "../check.h"
#include <sys/timex.h>

static struct timex t;

static int may(unsigned modes, long tick)
{
	memset(&t, 0, sizeof t);
	t.modes = modes;
	t.tick = tick;
	return adjtimex(&t) < 0 ? -1 : 0;
}

int main(void)
{
	static const clockid_t clocks[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, -1, -2, -3};
	static const unsigned modes[] = {1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x1000, 0x2000, 0x4000, 0x8000, 0x8001, 0x8003,
					 0xa000, 0xa001, 0xa003, 0xc001, 0x2100, 0x2001, 0x4001, 0x10000, 0x40000000};

	if (geteuid() == 0)
		R(setresuid(65534, 65534, 65534));
	R(may(0, 0));
	R(t.tolerance);
	R(t.precision);
	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		memset(&t, 0, sizeof t);
		R(syscall(SYS_clock_adjtime, clocks[i], &t) < 0 ? -1 : 0);
	}
	for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
		R(may(modes[i], 8999));
		R(may(modes[i], 10000));
	}
	R(adjtimex((void *)8));
	return 0;
}
