// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps of plain contiguous memory. They stand for mainline's drivers/dma-buf/heaps/cma_heap.c, which this machine cannot
 * have (its architecture has no DMA_CMA): one heap per reusable shared-dma-pool of the device tree, since Linux 6.19,
 * called as its node. The CPU may map every buffer, whatever the name says.
 *
 * Each heap has memory of its own from boot on, as a pool of the device tree has. Mainline lends such memory to movable
 * pages until the heap wants it and moves them away then. That cannot be had here: this architecture tells no other
 * processor that a page has moved, and what a program writes there in the meantime is lost.
 *
 *   vitrine_cma_heap.names=NAME:NAME...	the heaps; none by default
 */
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-mapping.h>
#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *names = "";
module_param(names, charp, 0444);
MODULE_PARM_DESC(names, "Names of the heaps, with colons between them; empty for none");

#define POOL_SIZE (64UL << 20)

struct cma_buffer {
	struct gen_pool *pool;
	struct page *pages;
	size_t size;
};

static int cma_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct cma_buffer *buffer = dmabuf->priv;
	struct sg_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	int ret;

	if (!table)
		return -ENOMEM;
	ret = sg_alloc_table(table, 1, GFP_KERNEL);
	if (ret) {
		kfree(table);
		return ret;
	}
	sg_set_page(table->sgl, buffer->pages, buffer->size, 0);
	attachment->priv = table;
	return 0;
}

static void cma_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	sg_free_table(attachment->priv);
	kfree(attachment->priv);
}

static struct sg_table *cma_map(struct dma_buf_attachment *attachment, enum dma_data_direction direction)
{
	int ret = dma_map_sgtable(attachment->dev, attachment->priv, direction, 0);

	return ret ? ERR_PTR(ret) : attachment->priv;
}

static void cma_unmap(struct dma_buf_attachment *attachment, struct sg_table *table, enum dma_data_direction direction)
{
	dma_unmap_sgtable(attachment->dev, table, direction, 0);
}

static int cma_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct cma_buffer *buffer = dmabuf->priv;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(buffer->pages) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static int cma_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct cma_buffer *buffer = dmabuf->priv;

	iosys_map_set_vaddr(map, page_address(buffer->pages));
	return 0;
}

static void cma_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	iosys_map_clear(map);
}

static void free_buffer(struct cma_buffer *buffer)
{
	gen_pool_free(buffer->pool, page_to_phys(buffer->pages), buffer->size);
	kfree(buffer);
}

static void cma_release(struct dma_buf *dmabuf)
{
	free_buffer(dmabuf->priv);
}

static const struct dma_buf_ops cma_buf_ops = {
	.attach = cma_attach,
	.detach = cma_detach,
	.map_dma_buf = cma_map,
	.unmap_dma_buf = cma_unmap,
	.mmap = cma_mmap,
	.vmap = cma_vmap,
	.vunmap = cma_vunmap,
	.release = cma_release,
};

static struct dma_buf *cma_allocate(struct dma_heap *heap, unsigned long size, u32 fd_flags, u64 heap_flags)
{
	struct cma_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);
	struct dma_buf *dmabuf;
	phys_addr_t start;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->pool = dma_heap_get_drvdata(heap);
	start = gen_pool_alloc(buffer->pool, size);
	if (!start) {
		kfree(buffer);
		return ERR_PTR(-ENOMEM);
	}
	buffer->pages = phys_to_page(start);
	buffer->size = size;
	memset(page_address(buffer->pages), 0, size);

	exp_info.exp_name = dma_heap_get_name(heap);
	exp_info.ops = &cma_buf_ops;
	exp_info.size = size;
	exp_info.flags = fd_flags;
	exp_info.priv = buffer;
	dmabuf = dma_buf_export(&exp_info);
	if (IS_ERR(dmabuf))
		free_buffer(buffer);
	return dmabuf;
}

static const struct dma_heap_ops cma_heap_ops = {
	.allocate = cma_allocate,
};

static struct gen_pool *make_pool(void)
{
	struct page *pages = alloc_contig_pages(POOL_SIZE >> PAGE_SHIFT, GFP_KERNEL, first_online_node, NULL);
	struct gen_pool *pool = gen_pool_create(PAGE_SHIFT, -1);

	if (!pages || !pool || gen_pool_add(pool, page_to_phys(pages), POOL_SIZE, -1))
		return NULL;
	return pool;
}

static int __init vitrine_cma_heap_init(void)
{
	char *list = kstrdup(names, GFP_KERNEL), *rest = list, *name;

	if (!list)
		return -ENOMEM;
	/* The list is kept: the heaps borrow their names from it. */
	while ((name = strsep(&rest, ":")) != NULL) {
		struct dma_heap_export_info info = { .name = name, .ops = &cma_heap_ops };
		struct dma_heap *heap;

		if (!*name)
			continue;
		info.priv = make_pool();
		heap = info.priv ? dma_heap_add(&info) : ERR_PTR(-ENOMEM);
		if (IS_ERR(heap)) {
			pr_err("vitrine_cma_heap: no heap `%s`: error %ld\n", name, PTR_ERR(heap));
			return PTR_ERR(heap);
		}
	}
	return 0;
}
late_initcall(vitrine_cma_heap_init);

MODULE_DESCRIPTION("Heaps of plain contiguous memory, for the Vitrine platform");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("DMA_BUF_HEAP");
