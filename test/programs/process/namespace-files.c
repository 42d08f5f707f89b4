/*
 * ioctl_nsfs(2): what the files of namespaces tell.
 * test: needs root
 */
#include "../check.h"
#include <sys/ioctl.h>

#define GET_PARENT _IO(0xb7, 2)
#define GET_NSTYPE _IO(0xb7, 3)
#define GET_OWNER _IO(0xb7, 4)
#define GET_MOUNTS _IOR(0xb7, 5, uint64_t)

int main(void)
{
	const char *kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts"};
	uint64_t first = 0, second = 0;
	uid_t owner = 77;
	char path[64];
	int fd;

	for (int i = 0; i < 9; i++) {
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
		fd = MUST(open(path, O_RDONLY));
		say("%s\n", path);
		R(ioctl(fd, GET_NSTYPE));
		R(ioctl(fd, GET_PARENT));
		R(ioctl(fd, GET_OWNER, &owner));
		R(owner);
		R(ioctl(fd, GET_OWNER, 8));
		R(ioctl(fd, _IO(0xb7, 77)));
	}
	fd = MUST(open("/proc/self/ns/mnt", O_RDONLY));
	if (ioctl(fd, GET_MOUNTS, &first) == -1 || unshare(CLONE_NEWNS) == -1) {
		puts("the host has no NS_GET_MNTNS_ID");
		return 77;
	}
	R(ioctl(fd, GET_MOUNTS, 8));
	fd = MUST(open("/proc/self/ns/mnt", O_RDONLY));
	R(ioctl(fd, GET_MOUNTS, &second));
	R(first != 0 && second != 0 && first != second);
	fd = MUST(open("/proc/self/ns/uts", O_RDONLY));
	R(ioctl(fd, GET_MOUNTS, &second));
	return 0;
}
