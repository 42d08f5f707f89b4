/* uname(2), sysinfo(2), sysconf(3), host names. */
#include "../check.h"
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void)
{
	struct utsname u;
	struct sysinfo info;

	R(uname(&u));
	say("%s %s\n", u.sysname, u.machine);
	int major, minor;
	R(sscanf(u.release, "%d.%d", &major, &minor));
	R(major >= 5);
	R(uname((void *)8));
	R(sysinfo(&info));
	R(info.totalram > 0 && info.freeram <= info.totalram && info.procs > 0 && info.mem_unit > 0);
	R(sysconf(_SC_PAGESIZE));
	R(sysconf(_SC_CLK_TCK));
	R(sysconf(_SC_NPROCESSORS_ONLN) > 0);
	R(sysconf(_SC_ARG_MAX) > 100000);
	R(sysconf(_SC_PHYS_PAGES) > 0);
	char name[65];
	R(gethostname(name, sizeof name));
	R(gethostname(name, 0));
	R(strcmp(name, u.nodename));
	R(sethostname("x", -1));
	R(sethostname("a-name-that-is-much-longer-than-sixty-four-characters-and-is-thus-refused", 70));
	return 0;
}
