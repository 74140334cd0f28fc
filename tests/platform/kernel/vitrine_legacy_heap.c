// SPDX-License-Identifier: GPL-2.0-only
/*
 * A protected heap as boards have it whose kernels are older than mainline's `protected,*` heaps, or that have a driver
 * of their own beside them. Userspace can tell the difference, and has to get along with it, by what is imitated here:
 * the heap's name, the exporter's name, and which errno a mapping, DMA_BUF_IOCTL_SYNC and an empty pool give. Written
 * from what those kernels do; none of their code is in it.
 *
 *   vitrine_legacy_heap.name=NAME	one of the kernels in the table below; mainline's heap is then absent
 *
 * The memory is the secure world's pool (vitrine_tee.c), so that it accepts these buffers as protected. They are one
 * piece each, have one sg entry and no vmap, so that whoever may read mainline's may read these.
 *
 * These kernels also registered every dma-buf in one piece with the TEE (TEE_IOC_SHM_REGISTER_FD) and left the judgement
 * to the secure world: vitrine_tee.takes_all=1.
 */
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-mapping.h>
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "vitrine_legacy_heap.h"

static char *name = "";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "Name of the heap, which says which kernel is imitated; empty for none");

struct legacy_kernel {
	const char *heap_name;	/* and the exporter's: all of them set exp_name to it */
	int mmap_error;		/* 0 where mmap succeeds, and every access to the mapping faults */
	int sync_error;		/* of DMA_BUF_IOCTL_SYNC, 0 where it succeeds */
	int exhausted_error;
};

static const struct legacy_kernel legacy_kernels[] = {
	/*
	 * MediaTek's restricted heap (RFC v3 to v5, 2024; in ChromeOS kernels): mmap and both ends of a CPU access are
	 * there, and say no. An empty pool is what the secure world answers, out of memory.
	 */
	{ "restricted_mtk_cma", .mmap_error = -EPERM, .sync_error = -EPERM, .exhausted_error = -ENOMEM },
	/*
	 * Pixel and Exynos kernels (drivers/dma-buf/heaps/samsung): mmap says EACCES; a CPU access begins and ends without
	 * doing anything, since no cache can hold what it may not read.
	 */
	{ "vframe-secure", .mmap_error = -EACCES, .sync_error = 0, .exhausted_error = -ENOMEM },
	/*
	 * NVIDIA Tegra's video protection region (tegra-vpr.c of the series v5, dri-devel 2026-08-14): mmap and both ends of
	 * a CPU access say no. It keeps its own books, and what finds no place in them is ENOSPC. The heap is called as the
	 * device tree's node without its address, which the series' binding calls `protected`.
	 */
	{ "protected", .mmap_error = -EPERM, .sync_error = -EPERM, .exhausted_error = -ENOSPC },
	/*
	 * A vendor's heap that maps its carve-out like any memory, without asking who may read it. The firewall answers each
	 * access with an external abort, which the process gets as SIGBUS.
	 */
	{ "heap-secure", .mmap_error = 0, .sync_error = 0, .exhausted_error = -ENOMEM },
};

static struct {
	const struct legacy_kernel *kernel;
	struct gen_pool *pool;
} legacy;

struct legacy_buffer {
	phys_addr_t start;
	size_t size;
};

static int legacy_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct legacy_buffer *buffer = dmabuf->priv;
	struct sg_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	int ret;

	if (!table)
		return -ENOMEM;
	ret = sg_alloc_table(table, 1, GFP_KERNEL);
	if (ret) {
		kfree(table);
		return ret;
	}
	sg_set_page(table->sgl, phys_to_page(buffer->start), buffer->size, 0);
	attachment->priv = table;
	return 0;
}

static void legacy_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	sg_free_table(attachment->priv);
	kfree(attachment->priv);
}

static struct sg_table *legacy_map(struct dma_buf_attachment *attachment, enum dma_data_direction direction)
{
	int ret = dma_map_sgtable(attachment->dev, attachment->priv, direction, DMA_ATTR_SKIP_CPU_SYNC);

	return ret ? ERR_PTR(ret) : attachment->priv;
}

static void legacy_unmap(struct dma_buf_attachment *attachment, struct sg_table *table,
			 enum dma_data_direction direction)
{
	dma_unmap_sgtable(attachment->dev, table, direction, DMA_ATTR_SKIP_CPU_SYNC);
}

static int legacy_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	return legacy.kernel->sync_error;
}

static vm_fault_t legacy_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct legacy_vm_ops = {
	.fault = legacy_fault,
};

static int legacy_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	vma->vm_ops = &legacy_vm_ops;
	return legacy.kernel->mmap_error;
}

static void legacy_release(struct dma_buf *dmabuf)
{
	struct legacy_buffer *buffer = dmabuf->priv;

	gen_pool_free(legacy.pool, buffer->start, buffer->size);
	kfree(buffer);
}

static const struct dma_buf_ops legacy_buf_ops = {
	.attach = legacy_attach,
	.detach = legacy_detach,
	.map_dma_buf = legacy_map,
	.unmap_dma_buf = legacy_unmap,
	.begin_cpu_access = legacy_cpu_access,
	.end_cpu_access = legacy_cpu_access,
	.mmap = legacy_mmap,
	.release = legacy_release,
};

static struct dma_buf *legacy_export(struct legacy_buffer *buffer, u32 fd_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);

	exp_info.exp_name = legacy.kernel->heap_name;
	exp_info.ops = &legacy_buf_ops;
	exp_info.size = buffer->size;
	exp_info.flags = fd_flags;
	exp_info.priv = buffer;
	return dma_buf_export(&exp_info);
}

static struct dma_buf *legacy_allocate(struct dma_heap *heap, unsigned long size, u32 fd_flags, u64 heap_flags)
{
	struct legacy_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	struct dma_buf *dmabuf;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->size = size;
	buffer->start = gen_pool_alloc(legacy.pool, size);
	if (!buffer->start) {
		kfree(buffer);
		return ERR_PTR(legacy.kernel->exhausted_error);
	}
	dmabuf = legacy_export(buffer, fd_flags);
	if (IS_ERR(dmabuf)) {
		gen_pool_free(legacy.pool, buffer->start, size);
		kfree(buffer);
	}
	return dmabuf;
}

static const struct dma_heap_ops legacy_heap_ops = {
	.allocate = legacy_allocate,
};

bool vitrine_legacy_heap_wanted(void)
{
	return name[0] != '\0';
}

static const struct legacy_kernel *find_kernel(const char *heap_name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(legacy_kernels); i++)
		if (!strcmp(legacy_kernels[i].heap_name, heap_name))
			return &legacy_kernels[i];
	return NULL;
}

int vitrine_legacy_heap_add(phys_addr_t start, size_t size)
{
	struct dma_heap_export_info info = { .name = name, .ops = &legacy_heap_ops };
	struct dma_heap *heap;
	int ret;

	legacy.kernel = find_kernel(name);
	if (!legacy.kernel) {
		pr_err("vitrine_legacy_heap: no kernel here is known by a heap `%s`\n", name);
		return -EINVAL;
	}
	legacy.pool = gen_pool_create(PAGE_SHIFT, -1);
	if (!legacy.pool)
		return -ENOMEM;
	ret = gen_pool_add(legacy.pool, start, size, -1);
	if (ret)
		goto destroy;
	heap = dma_heap_add(&info);
	if (IS_ERR(heap)) {
		ret = PTR_ERR(heap);
		goto destroy;
	}
	return 0;

destroy:
	gen_pool_destroy(legacy.pool);
	return ret;
}

MODULE_DESCRIPTION("Protected heap of an older kernel, for the Vitrine platform");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("DMA_BUF_HEAP");
