/* SPDX-License-Identifier: GPL-2.0-only */
/* A protected heap as kernels before mainline's had it; see vitrine_legacy_heap.c. */
#ifndef VITRINE_LEGACY_HEAP_H
#define VITRINE_LEGACY_HEAP_H

#include <linux/types.h>

struct dma_buf;
struct tee_shm;

/* Whether this board has one, instead of mainline's (vitrine_legacy_heap.name) */
bool vitrine_legacy_heap_wanted(void);

/* Registers it over the secure world's pool, which it then owns. */
int vitrine_legacy_heap_add(phys_addr_t start, size_t size);

/* TEE_IOC_SHM_REGISTER_FD of a buffer of it: its memory, one piece. EINVAL for every other buffer. */
int vitrine_legacy_heap_update_shm(struct dma_buf *dmabuf, struct tee_shm *shm);

#endif
