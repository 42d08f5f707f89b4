/* Types and the raw system call of the stub. Freestanding: no libc, no data that is written in a space. */
#ifndef STUB_H
#define STUB_H

#include <asm/unistd.h>
#include "layout.h"

/* The end of a program's addresses. */
#define TASK_SIZE 0x7ffffffff000UL

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define AT(type, base, offset) (*(volatile type *)((u64)(base) + (offset)))

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define syscall3(nr, a, b, c) syscall6((nr), (long)(a), (long)(b), (long)(c), 0, 0, 0)

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define EVERYBODY 0x7fffffff

static inline void futex_wait(u64 address, u32 value)
{
	syscall6(__NR_futex, (long)address, FUTEX_WAIT, value, 0, 0, 0);
}

static inline void futex_wake(u64 address)
{
	syscall6(__NR_futex, (long)address, FUTEX_WAKE, EVERYBODY, 0, 0, 0);
}

/* The current processor, from the limit of a segment that the host keeps for this (vdso, getcpu). */
static inline u32 this_cpu(void)
{
	u32 limit;

	__asm__("lsl %1, %0" : "=r"(limit) : "r"(0x7b));
	return limit & 0xfff;
}

/* entry.S */
extern char stub_text[], stub_text_end[], stub_image_end[];
extern char copy_guest[], copy_guest_end[], copy_guest_fault[];
extern char fast_entry[], fast_exit[], fast_exit_end[], fast_trap[];
extern char signal_restorer[], mapper_start[];
/* Copy up to `len` bytes, copy_string until after a NUL. Return how much of `len` is left, negative after a fault. */
long copy_bytes(void *to, const void *from, long len);
long copy_string(void *to, const void *from, long len);

void resume_frame(void *context) __attribute__((noreturn));

/* signals.c */
void handle_call(int signal, void *info, void *context);
void handle_fault(int signal, void *info, void *context);
void handle_kick(int signal, void *info, void *context);

/* filters.c */
struct filter_program {
	unsigned short len;
	const void *filter;
};
extern const struct filter_program space_filter, reaper_filter;

/* along.c */
int answered_along(void *slot);

/* pipe.c */
int answered_by_pipe(void *slot);

/* channel.c */
int answered_by_channel(void *slot);

/* window.c */
int answered_by_window(void *slot);

/* facts.c */
int answered_by_facts(void *slot);

/* foreseen.c */
int foreseen_call(void *slot);

/* known.c */
int known_answer(void *slot);

/* request.c */
int request(void *slot, int kind);
void first_answer(void *slot);

#endif
