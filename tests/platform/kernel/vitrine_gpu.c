// SPDX-License-Identifier: GPL-2.0-only
/*
 * The platform's GPU, as far as the kernel knows it: a render node. With vitrine_gpu.trusted=1 it stands for a SoC's GPU whose
 * protected jobs may touch the carve-out, and whose ordinary jobs may not; otherwise for one that has no access to it.
 *
 * It computes nothing: the jobs are done by a Vulkan driver in userspace (tests/platform/gpu, over lavapipe). What is
 * here is the door that such jobs go through. A *view* of a protected buffer is a dma-buf that can be mapped; its pages
 * are there while a protected job of the same open file runs, and gone with it. No hardware enforces that: it is ordinary
 * memory behind page tables that this file fills and empties.
 *
 * The device appears when vitrine_gpu.present becomes 1, which a running machine can do through sysfs: a GPU made
 * after the display leaves the display the name card0.
 */
#include <linux/device/faux.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "vitrine_gpu.h"

static bool trusted = true;
module_param(trusted, bool, 0644);
MODULE_PARM_DESC(trusted, "The GPU may reach protected memory");

/* What an open file of the device may reach. Views keep it beyond the file's end. */
struct client {
	struct kref refs;
	struct mutex lock;	/* protects what follows, and the filling and emptying of page tables */
	unsigned int jobs;	/* begun and not ended */
	struct list_head views;
};

struct view {
	struct client *client;
	struct list_head link;
	struct dma_buf_attachment *original;
	struct sg_table *sgt;
	struct inode *inode;	/* the view's own; kept, because it goes before the view does, and the client may still look */
	bool filled;		/* some of its mappings have pages */
};

static void free_client(struct kref *refs)
{
	kfree(container_of(refs, struct client, refs));
}

/* ---- Mappings ---- */

/* All pages at once: the first touch of a frame is followed by all the others, and faults are dear on this machine. */
static vm_fault_t fill(struct vm_area_struct *vma, struct view *view)
{
	unsigned long pfn = page_to_pfn(sg_page(view->sgt->sgl)) + vma->vm_pgoff, at;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	for (at = vma->vm_start; at < vma->vm_end && ret == VM_FAULT_NOPAGE; at += PAGE_SIZE)
		ret = vmf_insert_pfn(vma, at, pfn++);
	return ret;
}

static vm_fault_t view_fault(struct vm_fault *vmf)
{
	struct view *view = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	mutex_lock(&view->client->lock);
	if (view->client->jobs) {
		view->filled = true;
		ret = fill(vmf->vma, view);
	}
	mutex_unlock(&view->client->lock);
	return ret;
}

static const struct vm_operations_struct view_vm_ops = {
	.fault = view_fault,
};

/* No job, no pages. With the client's lock held, which keeps new ones out. */
static void empty_views(struct client *client)
{
	struct view *view;

	list_for_each_entry(view, &client->views, link) {
		if (view->filled)
			unmap_mapping_range(view->inode->i_mapping, 0, 0, 1);
		view->filled = false;
	}
}

/* ---- Views ---- */

/* dma-buf's core has checked that the mapping lies within the buffer. */
static int view_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* VM_IO keeps debuggers out, who would read through another process's page tables, and VM_DONTCOPY children. */
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vma->vm_ops = &view_vm_ops;
	vma->vm_private_data = dmabuf->priv;	/* which lives as long as the vma's file */
	return 0;
}

/* A view is for the GPU's own driver: no device may have it. */
static int view_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	return -EACCES;
}

static struct sg_table *view_map(struct dma_buf_attachment *attachment, enum dma_data_direction direction)
{
	return ERR_PTR(-EACCES);
}

static void view_unmap(struct dma_buf_attachment *attachment, struct sg_table *sgt, enum dma_data_direction direction)
{
}

static void let_go_of_original(struct dma_buf_attachment *original, struct sg_table *sgt)
{
	struct dma_buf *dmabuf = original->dmabuf;

	dma_buf_unmap_attachment_unlocked(original, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, original);
	dma_buf_put(dmabuf);
}

static void view_release(struct dma_buf *dmabuf)
{
	struct view *view = dmabuf->priv;

	mutex_lock(&view->client->lock);
	list_del(&view->link);
	mutex_unlock(&view->client->lock);
	kref_put(&view->client->refs, free_client);
	let_go_of_original(view->original, view->sgt);
	iput(view->inode);
	kfree(view);
}

static const struct dma_buf_ops view_ops = {
	.attach = view_attach,
	.map_dma_buf = view_map,
	.unmap_dma_buf = view_unmap,
	.release = view_release,
	.mmap = view_mmap,
};

/* Fences of the original are the view's: they share the reservation, and with it who waits for whom. */
static struct dma_buf *export_view(struct view *view)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &view_ops;
	info.size = view->original->dmabuf->size;
	info.flags = O_RDWR;
	info.resv = view->original->dmabuf->resv;
	info.priv = view;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return dmabuf;
	view->inode = file_inode(dmabuf->file);
	ihold(view->inode);
	kref_get(&view->client->refs);
	mutex_lock(&view->client->lock);
	list_add(&view->link, &view->client->views);
	mutex_unlock(&view->client->lock);
	return dmabuf;
}

/* Takes over the caller's reference to @original, but not where it fails. */
static struct dma_buf *make_view(struct device *dev, struct client *client, struct dma_buf *original)
{
	struct dma_buf_attachment *attachment;
	struct dma_buf *dmabuf;
	struct sg_table *sgt;
	struct view *view;
	int ret;

	attachment = dma_buf_attach(original, dev);
	if (IS_ERR(attachment))
		return ERR_CAST(attachment);
	sgt = dma_buf_map_attachment_unlocked(attachment, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto detach;
	}
	ret = -EOPNOTSUPP;	/* the protected heap's buffers are one piece each */
	if (sgt->orig_nents != 1 || sgt->sgl->offset)
		goto unmap;
	ret = -ENOMEM;
	view = kzalloc(sizeof(*view), GFP_KERNEL);
	if (!view)
		goto unmap;
	view->client = client;
	view->original = attachment;
	view->sgt = sgt;
	dmabuf = export_view(view);
	if (!IS_ERR(dmabuf))
		return dmabuf;
	ret = PTR_ERR(dmabuf);
	kfree(view);
unmap:
	dma_buf_unmap_attachment_unlocked(attachment, sgt, DMA_BIDIRECTIONAL);
detach:
	dma_buf_detach(original, attachment);
	return ERR_PTR(ret);
}

/* ---- The device ---- */

static int view_ioctl(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_vitrine_gpu_view *arg = data;
	struct dma_buf *original, *view;
	int ret;

	original = dma_buf_get(arg->fd);
	if (IS_ERR(original))
		return PTR_ERR(original);
	if (original->ops->vmap)	/* an exporter that lets the kernel's own code at the content */
		view = ERR_PTR(-EOPNOTSUPP);
	else if (!trusted)
		view = ERR_PTR(-EACCES);
	else
		view = make_view(dev->dev, file->driver_priv, original);
	if (IS_ERR(view)) {
		dma_buf_put(original);
		return PTR_ERR(view);
	}
	ret = dma_buf_fd(view, O_CLOEXEC);
	if (ret < 0) {
		dma_buf_put(view);
		return ret;
	}
	arg->view_fd = ret;
	return 0;
}

static int job_begin_ioctl(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct client *client = file->driver_priv;

	mutex_lock(&client->lock);
	client->jobs++;
	mutex_unlock(&client->lock);
	return 0;
}

static int job_end_ioctl(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct client *client = file->driver_priv;
	int ret = -EINVAL;

	mutex_lock(&client->lock);
	if (client->jobs) {
		ret = 0;
		if (!--client->jobs)
			empty_views(client);
	}
	mutex_unlock(&client->lock);
	return ret;
}

static int open_client(struct drm_device *dev, struct drm_file *file)
{
	struct client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return -ENOMEM;
	kref_init(&client->refs);
	mutex_init(&client->lock);
	INIT_LIST_HEAD(&client->views);
	file->driver_priv = client;
	return 0;
}

static void close_client(struct drm_device *dev, struct drm_file *file)
{
	struct client *client = file->driver_priv;

	mutex_lock(&client->lock);
	client->jobs = 0;
	empty_views(client);
	mutex_unlock(&client->lock);
	kref_put(&client->refs, free_client);
}

static const struct drm_ioctl_desc ioctls[] = {
	[0] = { .cmd = DRM_IOCTL_VITRINE_GPU_VIEW, .func = view_ioctl, .flags = DRM_RENDER_ALLOW, .name = "VIEW" },
	[1] = { .cmd = DRM_IOCTL_VITRINE_GPU_JOB_BEGIN, .func = job_begin_ioctl, .flags = DRM_RENDER_ALLOW,
		.name = "JOB_BEGIN" },
	[2] = { .cmd = DRM_IOCTL_VITRINE_GPU_JOB_END, .func = job_end_ioctl, .flags = DRM_RENDER_ALLOW, .name = "JOB_END" },
};

DEFINE_DRM_GEM_FOPS(vitrine_gpu_fops);

static const struct drm_driver driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_SYNCOBJ | DRIVER_SYNCOBJ_TIMELINE,
	.fops = &vitrine_gpu_fops,
	.open = open_client,
	.postclose = close_client,
	.ioctls = ioctls,
	.num_ioctls = ARRAY_SIZE(ioctls),
	.name = "vitrine-gpu",
	.desc = "Simulated GPU of the Vitrine platform",
	.major = 1,
	.minor = 0,
};

static int make_device(void)
{
	struct faux_device *parent = faux_device_create("vitrine-gpu", NULL, NULL);
	struct drm_device *drm;
	int ret;

	if (!parent)
		return -ENODEV;
	ret = dma_coerce_mask_and_coherent(&parent->dev, DMA_BIT_MASK(64));
	if (ret)
		goto destroy;
	drm = drm_dev_alloc(&driver, &parent->dev);
	if (IS_ERR(drm)) {
		ret = PTR_ERR(drm);
		goto destroy;
	}
	ret = drm_dev_register(drm, 0);
	if (!ret)
		return 0;
	drm_dev_put(drm);
destroy:
	faux_device_destroy(parent);
	return ret;
}

/* ---- The parameter that makes it ---- */

static bool present, ready;	/* the second: this file's initcall is past, so that there can be a device */

static int set_present(const char *value, const struct kernel_param *param)
{
	bool wanted;
	int ret = kstrtobool(value, &wanted);

	if (ret || wanted == present)
		return ret;
	if (ready)
		ret = wanted ? make_device() : -EBUSY;	/* a SoC's GPU is not unplugged */
	if (!ret)
		present = wanted;
	return ret;
}

static const struct kernel_param_ops present_ops = {
	.set = set_present,
	.get = param_get_bool,
};
module_param_cb(present, &present_ops, &present, 0644);
MODULE_PARM_DESC(present, "There is a GPU");

static int __init vitrine_gpu_init(void)
{
	ready = true;
	return present ? make_device() : 0;
}
late_initcall(vitrine_gpu_init);

MODULE_DESCRIPTION("Simulated GPU of the Vitrine platform");
MODULE_LICENSE("GPL");
