/* io_setup(2), io_submit(2), io_getevents(2) without a library. */
#include "../check.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>

#define SUBMIT(n, list) syscall(SYS_io_submit, context, (long)(n), list)
#define EVENTS(least, most, timeout) syscall(SYS_io_getevents, context, (long)(least), (long)(most), events, timeout)

int main(void)
{
	aio_context_t context = 0, other = 1;
	struct io_event events[8];
	struct timespec soon = {0, 1000000};
	char text[] = "asynchronous", back[16] = "";
	uint64_t told;

	R(syscall(SYS_io_setup, 0, &context));
	R(syscall(SYS_io_setup, 8, &other));
	R(syscall(SYS_io_setup, 8, NULL));
	R(syscall(SYS_io_setup, 8, &context));
	R(context != 0);

	int fd = MUST(memfd_create("aio", 0)), efd = MUST(eventfd(0, EFD_NONBLOCK));
	struct iocb put = {.aio_data = 0xfedcba9876543210, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd,
			   .aio_buf = (uintptr_t)text, .aio_nbytes = sizeof text, .aio_offset = 5,
			   .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = efd};
	struct iocb get = {.aio_data = 2, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd,
			   .aio_buf = (uintptr_t)back, .aio_nbytes = sizeof back, .aio_offset = 5};
	struct iocb bad = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = 99};
	struct iocb odd = {.aio_lio_opcode = 77, .aio_fildes = fd};
	struct iocb nowhere = get;
	nowhere.aio_buf = 4096;
	struct iocb *list[] = {&put, &get, &bad}, *bads[] = {&bad}, *odds[] = {&odd}, *wild[] = {&nowhere};

	R(SUBMIT(0, list));
	R(SUBMIT(-1, list));
	R(SUBMIT(1, NULL));
	R(SUBMIT(1, bads));
	R(SUBMIT(1, odds));
	R(SUBMIT(3, list));
	R(EVENTS(2, 8, NULL));
	R(events[0].data == put.aio_data);
	R(events[0].obj == (uintptr_t)&put);
	R(events[0].res);
	R(events[1].res);
	R(strcmp(text, back));
	R(read(efd, &told, 8));
	R(told);
	/* Completions do not take the counter beyond its largest value. */
	told = UINT64_MAX - 1;
	R(write(efd, &told, 8));
	for (int i = 0; i < 3; i++) {
		struct pollfd ready = {efd, POLLIN | POLLOUT, 0};
		R(SUBMIT(1, list));
		R(EVENTS(1, 1, NULL));
		R(poll(&ready, 1, 0));
		R(ready.revents);
	}
	R(read(efd, &told, 8));
	R(told == UINT64_MAX);
	R(read(efd, &told, 8));
	R(SUBMIT(1, wild));
	R(EVENTS(1, 1, NULL));
	R(events[0].res);
	R(EVENTS(1, 1, &soon));
	R(EVENTS(2, 1, NULL));
	R(EVENTS(-1, 1, NULL));
	R(syscall(SYS_io_destroy, context));
	R(syscall(SYS_io_destroy, context));
	R(SUBMIT(1, list));
	return 0;
}
