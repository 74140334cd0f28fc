/* SPDX-License-Identifier: GPL-2.0-only */
/* A protected heap as kernels before mainline's had it; see vitrine_legacy_heap.c. */
#ifndef VITRINE_LEGACY_HEAP_H
#define VITRINE_LEGACY_HEAP_H

#include <linux/types.h>

/* Whether this board has one, instead of mainline's (vitrine_legacy_heap.name) */
bool vitrine_legacy_heap_wanted(void);

/* Registers it over the secure world's pool, which it then owns. */
int vitrine_legacy_heap_add(phys_addr_t start, size_t size);

#endif
