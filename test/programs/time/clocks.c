/* Clocks and sleeping: clock_gettime, clock_nanosleep, times, gettimeofday. */
#include "../check.h"
#include <sys/times.h>

int main(void)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
					   CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
	struct timespec a, b, res;

	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		R(clock_gettime(clocks[i], &a));
		R(clock_getres(clocks[i], &res));
		R(res.tv_sec == 0 && res.tv_nsec > 0 && res.tv_nsec <= 10000000);
		int backwards = 0;
		for (int j = 0; j < 1000; j++) {
			clock_gettime(clocks[i], &b);
			backwards += b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec) || b.tv_nsec >= 1000000000;
			a = b;
		}
		R(backwards);
	}
	R(clock_gettime(9999, &a));
	R(syscall(SYS_clock_gettime, CLOCK_REALTIME, 8));
	struct timeval tv;
	clock_gettime(CLOCK_REALTIME, &a);
	R(gettimeofday(&tv, NULL));
	time_t now = time(NULL);
	clock_gettime(CLOCK_REALTIME, &b);
	R(tv.tv_sec >= a.tv_sec && tv.tv_sec <= b.tv_sec);
	/* time(2) may be a tick behind. */
	R(now >= a.tv_sec - 1 && now <= b.tv_sec);
	R(a.tv_sec > 1700000000);

	struct timespec ts = {0, 30000000};
	long begin = now_ms();
	R(nanosleep(&ts, NULL));
	long took = now_ms() - begin;
	R(took >= 30);
	ts.tv_nsec = 1000000000;
	R(nanosleep(&ts, NULL));
	ts.tv_nsec = -1;
	R(nanosleep(&ts, NULL));
	ts = (struct timespec){-1, 0};
	R(nanosleep(&ts, NULL));
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec -= 5;
	R(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL));
	begin = now_ms();
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 20000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	R(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL));
	R(now_ms() - begin >= 19);
	R(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL) == EINVAL);

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	sleep_ms(100);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	R((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 60);
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	while ((a.tv_sec - b.tv_sec) * 1000 + (a.tv_nsec - b.tv_nsec) / 1000000 < 50);
	struct tms t;
	R(times(&t) > 0);
	R(t.tms_utime + t.tms_stime > 0);
	R(alarm(100));
	/* It is told in seconds, and one may have passed. */
	unsigned left = alarm(0);
	R(left > 0 && left <= 100);
	R(clock() > 0);
	R(adjtime(NULL, &(struct timeval){0}));
	return 0;
}
