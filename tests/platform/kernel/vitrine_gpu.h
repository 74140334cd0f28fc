/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* What a Vulkan driver says to the platform's simulated GPU (/dev/dri/renderD128); see vitrine_gpu.c. */
#ifndef VITRINE_GPU_H
#define VITRINE_GPU_H

#include <drm/drm.h>

/*
 * VIEW: the GPU's own access to a protected dma-buf. view_fd is a new dma-buf of the same size whose mapping (shared
 * only) can be touched while this open file runs a job, and is SIGBUS otherwise. It keeps the original alive, and
 * outlives this open file as a mapping that can never be touched.
 *   EOPNOTSUPP  an ordinary buffer, which needs no view (and so this is how to ask whether one is protected)
 *   EACCES      the firewall keeps the GPU out (vitrine_gpu.trusted=0), or the buffer is a view itself
 *   EBADF, EINVAL  no fd, no dma-buf
 */
struct drm_vitrine_gpu_view {
	__s32 fd;		/* in */
	__s32 view_fd;		/* out, close-on-exec */
};

/*
 * JOB_BEGIN, JOB_END: a protected job of this open file begins, or one of those begun ends. With the last one all
 * mappings of its views are emptied before the call returns. EINVAL: an end without a beginning.
 */
#define DRM_IOCTL_VITRINE_GPU_VIEW	DRM_IOWR(DRM_COMMAND_BASE + 0, struct drm_vitrine_gpu_view)
#define DRM_IOCTL_VITRINE_GPU_JOB_BEGIN	DRM_IO(DRM_COMMAND_BASE + 1)
#define DRM_IOCTL_VITRINE_GPU_JOB_END	DRM_IO(DRM_COMMAND_BASE + 2)

#endif
