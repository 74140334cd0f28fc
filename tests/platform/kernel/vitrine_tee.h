/* SPDX-License-Identifier: GPL-2.0-only */
/* What the simulated secure world does for the TEE subsystem; see vitrine_tee.c. */
#ifndef VITRINE_TEE_H
#define VITRINE_TEE_H

struct dma_buf;
struct tee_shm;

/*
 * TEE_IOC_SHM_REGISTER_FD of a buffer that is not of mainline's protected heap. EINVAL; but on boards with
 * vitrine_tee.takes_all=1 every dma-buf in one piece is taken.
 */
int vitrine_tee_register_contiguous(struct dma_buf *dmabuf, struct tee_shm *shm);

#endif
