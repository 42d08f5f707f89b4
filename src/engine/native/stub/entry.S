/*
 * What must be exact to the instruction: entries, exits, the mapping thread.
 *
 * The mapping thread never uses a stack and never reads memory that a guest can write: its state is in registers, and
 * its orders come from the space's page (read-only to every thread of the space).
 */
#include "layout.h"
#include <asm/unistd.h>

	.section .text.entry, "ax"

/* A patched call site comes here through its thunk. rax: the call's number; rcx: the return address. */
	.globl fast_entry
fast_entry:
	movq	%rax, %gs:S_CALL_NR
	movq	%rdi, %gs:S_CALL_ARGS
	movq	%rsi, %gs:S_CALL_ARGS+8
	movq	%rdx, %gs:S_CALL_ARGS+16
	movq	%r10, %gs:S_CALL_ARGS+24
	movq	%r8, %gs:S_CALL_ARGS+32
	movq	%r9, %gs:S_CALL_ARGS+40
	movq	%rcx, %gs:S_RIP
	movq	%rsp, %gs:S_RSP
	rdgsbase %rdi
	leaq	S_STACK_TOP(%rdi), %rsp
	movl	$K_FAST, %esi
	call	request
	cmpl	$A_SHOW_FRAME, %eax
	je	fast_show
	cmpl	$A_FRAME, %eax		/* the thread has a new task */
	je	slot_frame

/* A kick between here and fast_exit_end starts over: everything is loaded from the slot again. */
	.globl fast_exit, fast_exit_end
fast_exit:
	cmpl	$0, %gs:S_KICKED
	jne	fast_show
	movq	%gs:S_CALL_ARGS, %rdi
	movq	%gs:S_CALL_ARGS+8, %rsi
	movq	%gs:S_CALL_ARGS+16, %rdx
	movq	%gs:S_CALL_ARGS+24, %r10
	movq	%gs:S_CALL_ARGS+32, %r8
	movq	%gs:S_CALL_ARGS+40, %r9
	movq	%gs:S_RSP, %rsp
	movq	%gs:S_RESULT, %rax
	movq	%gs:S_RIP, %rcx
	cmpq	$-4096, %rax		/* a patched site may have had this after its syscall */
	jmp	*%rcx
fast_exit_end:

/* Shows the kernel all registers as they will be, by a trap whose handler knows this place. */
fast_show:
	movl	$0, %gs:S_KICKED
	movq	%gs:S_CALL_ARGS, %rdi
	movq	%gs:S_CALL_ARGS+8, %rsi
	movq	%gs:S_CALL_ARGS+16, %rdx
	movq	%gs:S_CALL_ARGS+24, %r10
	movq	%gs:S_CALL_ARGS+32, %r8
	movq	%gs:S_CALL_ARGS+40, %r9
	movq	%gs:S_RSP, %rsp
	movq	%gs:S_RESULT, %rax
	movq	%gs:S_RIP, %rcx
	cmpq	$-4096, %rax		/* as fast_exit does: rcx may point behind the comparison */
	int3				/* an illegal instruction would do, but hypervisors intercept those first */
	.globl fast_trap
fast_trap:
	ud2

	.globl signal_restorer
signal_restorer:
	movl	$__NR_rt_sigreturn, %eax
	syscall

/* Copies from or to the guest. A fault between copy_guest and copy_guest_end continues at copy_guest_fault. */
	.globl copy_guest, copy_guest_end, copy_guest_fault, copy_bytes, copy_string
copy_guest:
copy_bytes:
	movq	%rdx, %rcx
	rep movsb
	movq	%rcx, %rax
	ret
copy_string:
	movq	%rdx, %rcx
1:	testq	%rcx, %rcx
	jz	2f
	movb	(%rsi), %al
	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rcx
	testb	%al, %al
	jnz	1b
2:	movq	%rcx, %rax
	ret
copy_guest_end:
copy_guest_fault:
	/* rcx counts what is left. A negative result says that the end was not reached. */
	notq	%rcx
	movq	%rcx, %rax
	ret

/* The thread continues from its slot's frame. */
slot_frame:
	movq	%gs:S_FS, %rax
	wrfsbase %rax
	rdgsbase %rdi
	movl	%gs:S_FRAME, %eax
	addq	%rax, %rdi

/* The thread continues from the frame (a ucontext) that rdi points to. */
	.globl resume_frame
resume_frame:
	movq	%rdi, %rsp
	movl	$__NR_rt_sigreturn, %eax
	syscall

	.section .text.mapper, "ax"

/*
 * The mapping thread. r12: operations done. r13: the space's page. r14: the answers' page.
 */
	.globl mapper_start
mapper_start:
	xorl	%r12d, %r12d
	movl	$STUB_SPACE, %r13d
	movl	$STUB_ANSWERS, %r14d
mapper_loop:
	movl	P_POSTED(%r13), %ebx
	cmpl	%ebx, %r12d
	jne	mapper_next
	movl	%r12d, W_DONE(%r14)
	movl	$__NR_futex, %eax		/* wake threads that wait for this */
	leaq	W_DONE(%r14), %rdi
	movl	$1, %esi
	movl	$0x7fffffff, %edx
	syscall
mapper_sleep:
	movl	$__NR_futex, %eax
	leaq	P_POSTED(%r13), %rdi
	xorl	%esi, %esi
	movl	%r12d, %edx
	xorl	%r10d, %r10d
	syscall
	movl	P_POSTED(%r13), %ebx
	cmpl	%ebx, %r12d
	je	mapper_sleep
mapper_next:
	movl	%r12d, %ebp
	andl	$(MAX_OPS - 1), %ebp
	movl	%ebp, %r15d
	shll	$6, %ebp
	leaq	P_OPS(%r13,%rbp), %rbp
	movq	OP_NR(%rbp), %rax
	movq	OP_ARGS(%rbp), %rdi
	movq	OP_ARGS+8(%rbp), %rsi
	movq	OP_ARGS+16(%rbp), %rdx
	movq	OP_ARGS+24(%rbp), %r10
	movq	OP_ARGS+32(%rbp), %r8
	movq	OP_ARGS+40(%rbp), %r9
	movq	OP_KIND(%rbp), %rbx
	syscall
	testq	%rax, %rax
	js	mapper_failed
	jnz	mapper_done
	cmpl	$OP_KIND_CALL, %ebx
	jne	mapper_child
mapper_failed:
	cmpl	$OP_KIND_CALL, %ebx
	je	mapper_done
	movl	$__NR_write, %eax		/* r8: the note that says so */
	movl	$FD_NOTES, %edi
	movq	%r8, %rsi
	movl	$NOTE_SIZE, %edx
	syscall
mapper_done:
	movq	%rax, W_RESULTS(%r14,%r15,8)
	incl	%r12d
	jmp	mapper_loop
mapper_child:
	cmpl	$OP_KIND_THREAD, %ebx
	je	guest_start

/* A new space. r9: where its pages lie in the memory file. Maps them, and ties its life to the reaper's. */
	movq	%r9, %r12
	movl	$__NR_mmap, %eax
	movl	$STUB_SPACE, %edi
	movl	$SPACE_SIZE, %esi
	movl	$1, %edx
	movl	$0x11, %r10d
	movl	$FD_MEMORY_RO, %r8d
	syscall
	movl	$__NR_mmap, %eax
	movl	$STUB_ANSWERS, %edi
	movl	$ANSWERS_SIZE, %esi
	movl	$3, %edx
	movl	$0x11, %r10d
	movl	$FD_MEMORY, %r8d
	leaq	SPACE_SIZE(%r12), %r9
	syscall
	movl	$__NR_prctl, %eax
	movl	$1, %edi
	movl	$9, %esi
	syscall
	movl	$__NR_getppid, %eax
	syscall
	movl	$STUB_GLOBAL, %ecx
	cmpl	G_REAPER(%rcx), %eax
	je	mapper_start
	movl	$__NR_exit_group, %eax
	syscall

/*
 * A thread for guest code. rsp: the top of its slot's stack. It gives up everything before it looks at its slot. Its
 * stack_t lies there, though, where other threads of the program can spoil it: the host alone looks at it, and whatever
 * it says, the thread itself could say the same by a rt_sigreturn (uc_stack).
 */
guest_start:
	leaq	-S_STACK_TOP(%rsp), %rbx
	wrgsbase %rbx
	leaq	S_ALTSTACK(%rbx), %rax
	pushq	$S_ALTSTACK_SIZE	/* stack_t, from its end (sigaltstack(2)): size, flags, address */
	pushq	$0
	pushq	%rax
	movl	$__NR_sigaltstack, %eax
	movq	%rsp, %rdi
	xorl	%esi, %esi
	syscall
	leaq	S_STACK_TOP(%rbx), %rsp
	movl	$__NR_gettid, %eax
	syscall
	movl	%eax, S_TID(%rbx)
	movl	$__NR_sched_setaffinity, %eax	/* its mapping thread is pinned to one processor */
	xorl	%edi, %edi
	movl	$AFFINITY_SIZE, %esi
	movl	$(STUB_GLOBAL + G_AFFINITY), %edx
	syscall
	movl	$__NR_close_range, %eax
	xorl	%edi, %edi
	movl	$-1, %esi
	xorl	%edx, %edx
	syscall
	movl	$__NR_prctl, %eax		/* no more calls from the mapping thread's text */
	movl	$PR_SET_SYSCALL_USER_DISPATCH, %edi
	movl	$PR_SYS_DISPATCH_ON, %esi
	movl	$STUB_ENTRY, %edx
	movl	$GUEST_TEXT_SIZE, %r10d
	xorl	%r8d, %r8d
	syscall
	testq	%rax, %rax
	jnz	guest_failed
	movq	%rbx, %rdi
	call	first_answer
	jmp	slot_frame
guest_failed:
	movl	$__NR_exit_group, %eax
	movl	$125, %edi
	syscall
	.org	STUB_ENTRY - STUB_TEXT

	.section .note.GNU-stack, "", @progbits
