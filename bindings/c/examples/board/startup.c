// Start of a program on an emulated board with a Cortex-M4F: files and text go through semihosting.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern uint32_t stack_top, data_start, data_end, data_load, bss_start, bss_end;
extern int main(void);
extern void initialise_monitor_handles(void);

void reset(void);
void halt(void);

// The first two words are the stack and the entry, the next ones the exceptions up to SysTick.
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, reset, halt, halt, halt, halt, halt, 0, 0, 0, 0, halt, halt, 0, halt, halt,
};

void reset(void) {
    // Coprocessors 10 and 11, the FPU.
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n isb" ::: "memory");
    memcpy(&data_start, &data_load, (size_t)((char *)&data_end - (char *)&data_start));
    memset(&bss_start, 0, (size_t)((char *)&bss_end - (char *)&bss_start));
    initialise_monitor_handles();
    exit(main());
}

void halt(void) {
    abort();
}

// newlib calls these around main; there is nothing to construct.
void _init(void) {}
void _fini(void) {}
