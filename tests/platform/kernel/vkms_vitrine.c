// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the platform adds to vkms: a display that the firewall lets at protected memory, and a camera before its panel.
 *
 * Trusted display (vkms.trusted=1). Stands for a display controller that may read the carve-out: it imports a protected
 * dma-buf by its sg table and reads the pages, which no CPU mapping leads to. With vkms.trusted=0 vkms is as it comes:
 * it reads frames through dma_buf_vmap(), which the protected heap refuses when the commit is made and not when it is
 * tested. That is a display controller that the firewall keeps out.
 *
 * Panel camera (/dev/panel-cameraN, root alone; N counts CRTCs). Stands for a camera in front of the panel: what it
 * sees is what the display composes from its planes, after the gamma table. Nobody but a test has a use for it.
 *   - A read at offset 0 takes a picture: of the first frame whose scanout begins after the call, so all that was
 *     committed before is in it. It is kept with the open file; reads at other offsets read on in it, and the file ends
 *     where the picture does. lseek(fd, 0, SEEK_SET) and read, or pread at 0, takes the next one.
 *   - The picture is struct panel_camera_header and then height lines of stride bytes, DRM_FORMAT_XRGB8888 (bytes
 *     B, G, R, X), each channel rounded from the 16 bits that vkms computes with.
 *   - ENODATA: the panel is dark (CRTC off, or no frame within eight seconds). EINTR: a signal came.
 *   - A picture shows one frame: vkms composes it on the CPU, slower than a panel scans out, so the vblanks wait for it,
 *     and with them flips and the return of buffers. Without that, clients would draw into what is being photographed.
 * vkms composes frames only while a read waits for one; otherwise the camera costs nothing.
 */
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <drm/drm_drv.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_managed.h>
#include <drm/drm_prime.h>
#include <drm/drm_vblank.h>

#include "vkms_drv.h"
#include "vkms_vitrine.h"

static bool trusted;
module_param(trusted, bool, 0444);
MODULE_PARM_DESC(trusted, "The display may read protected memory");

/* ---- Trusted display ---- */

/* A buffer of the protected heap is one piece, and this kernel has all memory mapped: its address is its mapping. */
static int protected_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct sg_table *sgt = to_drm_gem_shmem_obj(obj)->sgt;

	if (sgt->orig_nents != 1)
		return -EINVAL;
	iosys_map_set_vaddr(map, sg_virt(sgt->sgl));
	return 0;
}

static void protected_vunmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	iosys_map_clear(map);
}

struct drm_gem_object *vkms_vitrine_import_sg_table(struct drm_device *dev, struct dma_buf_attachment *attach,
						    struct sg_table *sgt)
{
	static struct drm_gem_object_funcs funcs;
	struct drm_gem_object *obj = drm_gem_shmem_prime_import_sg_table(dev, attach, sgt);

	if (IS_ERR(obj))
		return obj;
	if (!smp_load_acquire(&funcs.vmap)) {	/* the same values whoever writes them */
		funcs = *obj->funcs;
		funcs.vunmap = protected_vunmap;
		smp_store_release(&funcs.vmap, protected_vmap);
	}
	obj->funcs = &funcs;
	return obj;
}

struct drm_gem_object *vkms_vitrine_import(struct drm_device *dev, struct dma_buf *dmabuf)
{
	if (trusted && !dmabuf->ops->vmap)
		return drm_gem_prime_import(dev, dmabuf);
	return drm_gem_shmem_prime_import_no_map(dev, dmabuf);
}

/* ---- Panel camera ---- */

struct panel_camera_header {	/* little endian, 64 bytes */
	char magic[8];		/* "VITRCAM1" */
	u32 header_size;	/* bytes before the first pixel */
	u32 format;		/* DRM_FORMAT_XRGB8888 */
	u32 width, height;	/* pixels */
	u32 stride;		/* bytes */
	u32 reserved;
	u64 sequence;		/* the vblank count, as page flip events have it */
	u64 timestamp;		/* when its composition began, CLOCK_MONOTONIC, ns */
	u64 picture;		/* counts the pictures of this camera */
	u64 reserved2;
};
static_assert(sizeof(struct panel_camera_header) == 64);

/*
 * For a picture from the call to its end: seconds, where the host has more to do than this. Less than the ten seconds after
 * which DRM takes a flip, which waits for it, for lost.
 */
#define CAMERA_PATIENCE	(8 * HZ)

struct vkms_camera {
	struct vkms_output *out;
	struct miscdevice misc;
	char name[24];
	struct mutex lock;	/* protects what follows, but waiting */
	wait_queue_head_t done;
	u64 asked, begun, ended;	/* pictures; a read asks for the one that begins next */
	bool taking;
	unsigned long exposed_until;	/* jiffies; 0: no picture is being composed */
	struct panel_camera_header header;
	u32 *pixels;		/* of the newest picture, whole once ended == begun */
	size_t capacity;
};

struct photograph {		/* with an open file */
	struct vkms_camera *camera;
	struct mutex lock;
	void *data;		/* header and pixels */
	size_t size, capacity;
};

bool vkms_camera_wanted(struct vkms_output *out)
{
	struct vkms_camera *camera = out->camera;

	if (!camera || READ_ONCE(camera->asked) <= READ_ONCE(camera->begun))
		return false;
	WRITE_ONCE(camera->exposed_until, (jiffies + CAMERA_PATIENCE) | 1);	/* no longer, should the composer give up */
	return true;
}

bool vkms_camera_exposes(struct vkms_output *out)
{
	unsigned long until = out->camera ? READ_ONCE(out->camera->exposed_until) : 0;

	return until && time_before(jiffies, until);
}

static struct vkms_camera *camera_of(struct vkms_crtc_state *state)
{
	return drm_crtc_to_vkms_output(state->base.crtc)->camera;
}

void vkms_camera_begin(struct vkms_crtc_state *state)
{
	struct vkms_camera *camera = camera_of(state);
	u32 width = state->base.mode.hdisplay, height = state->base.mode.vdisplay;
	size_t size = (size_t)width * height * sizeof(u32);

	if (!camera)
		return;
	mutex_lock(&camera->lock);	/* until the picture ends */
	camera->taking = camera->asked > camera->begun;
	if (!camera->taking)
		return;
	if (camera->capacity < size) {
		kvfree(camera->pixels);
		camera->pixels = kvmalloc(size, GFP_KERNEL);
		camera->capacity = camera->pixels ? size : 0;
	}
	camera->taking = camera->pixels != NULL;
	if (!camera->taking)
		return;
	camera->header = (struct panel_camera_header) {
		.magic = "VITRCAM1",
		.header_size = sizeof(camera->header),
		.format = DRM_FORMAT_XRGB8888,
		.width = width,
		.height = height,
		.stride = width * sizeof(u32),
		.sequence = drm_crtc_vblank_count(state->base.crtc),
		.timestamp = ktime_get_ns(),
		.picture = camera->begun + 1,
	};
	WRITE_ONCE(camera->begun, camera->begun + 1);
}

void vkms_camera_line(struct vkms_crtc_state *state, const struct line_buffer *line, int y)
{
	struct vkms_camera *camera = camera_of(state);
	u32 *to;

	if (!camera || !camera->taking)
		return;
	to = camera->pixels + (size_t)y * camera->header.width;
	for (u32 x = 0; x < camera->header.width; x++) {
		const struct pixel_argb_u16 *from = &line->pixels[x];

		to[x] = 0xff000000 | DIV_ROUND_CLOSEST(from->r, 257) << 16 | DIV_ROUND_CLOSEST(from->g, 257) << 8 |
			DIV_ROUND_CLOSEST(from->b, 257);
	}
}

void vkms_camera_end(struct vkms_crtc_state *state)
{
	struct vkms_camera *camera = camera_of(state);

	if (!camera)
		return;
	if (camera->taking) {
		WRITE_ONCE(camera->exposed_until, 0);
		camera->ended = camera->begun;
		wake_up_all(&camera->done);
	}
	camera->taking = false;
	mutex_unlock(&camera->lock);
}

/* Waits for a picture that begins after this call. vblanks, and with them frames, go on while one is held. */
static int wait_for_picture(struct vkms_camera *camera)
{
	struct drm_crtc *crtc = &camera->out->crtc;
	u64 before;
	long left;

	if (drm_crtc_vblank_get(crtc))
		return -ENODATA;
	mutex_lock(&camera->lock);
	before = camera->begun;
	WRITE_ONCE(camera->asked, before + 1);
	mutex_unlock(&camera->lock);
	left = wait_event_interruptible_timeout(camera->done, READ_ONCE(camera->ended) > before,
						CAMERA_PATIENCE);
	drm_crtc_vblank_put(crtc);
	return left < 0 ? -EINTR : left == 0 ? -ENODATA : 0;
}

static int take_photograph(struct photograph *photo)
{
	struct vkms_camera *camera = photo->camera;
	size_t pixels, size;
	int ret = wait_for_picture(camera);

	if (ret)
		return ret;
	mutex_lock(&camera->lock);
	pixels = (size_t)camera->header.stride * camera->header.height;
	size = sizeof(camera->header) + pixels;
	if (photo->capacity < size) {
		kvfree(photo->data);
		photo->data = kvmalloc(size, GFP_KERNEL);
		photo->capacity = photo->data ? size : 0;
	}
	photo->size = photo->data ? size : 0;
	if (photo->data) {
		memcpy(photo->data, &camera->header, sizeof(camera->header));
		memcpy(photo->data + sizeof(camera->header), camera->pixels, pixels);
	}
	mutex_unlock(&camera->lock);
	return photo->data ? 0 : -ENOMEM;
}

static int camera_open(struct inode *inode, struct file *file)
{
	struct photograph *photo = kzalloc(sizeof(*photo), GFP_KERNEL);

	if (!photo)
		return -ENOMEM;
	mutex_init(&photo->lock);
	photo->camera = container_of(file->private_data, struct vkms_camera, misc);
	drm_dev_get(photo->camera->out->crtc.dev);	/* which owns the camera */
	file->private_data = photo;
	return 0;
}

static int camera_release(struct inode *inode, struct file *file)
{
	struct photograph *photo = file->private_data;

	drm_dev_put(photo->camera->out->crtc.dev);
	kvfree(photo->data);
	kfree(photo);
	return 0;
}

static ssize_t camera_read(struct file *file, char __user *to, size_t count, loff_t *offset)
{
	struct photograph *photo = file->private_data;
	ssize_t ret = 0;

	mutex_lock(&photo->lock);
	if (*offset == 0)
		ret = take_photograph(photo);
	if (!ret)
		ret = simple_read_from_buffer(to, count, offset, photo->data, photo->size);
	mutex_unlock(&photo->lock);
	return ret;
}

static loff_t camera_llseek(struct file *file, loff_t offset, int whence)
{
	struct photograph *photo = file->private_data;

	return fixed_size_llseek(file, offset, whence, photo->size);
}

static const struct file_operations camera_fops = {
	.owner = THIS_MODULE,
	.open = camera_open,
	.release = camera_release,
	.read = camera_read,
	.llseek = camera_llseek,
};

static void camera_fini(struct drm_device *dev, void *data)
{
	struct vkms_camera *camera = data;

	camera->out->camera = NULL;
	misc_deregister(&camera->misc);
	kvfree(camera->pixels);
	kfree(camera);
}

int vkms_camera_init(struct vkms_output *out)
{
	static atomic_t count = ATOMIC_INIT(0);
	struct vkms_camera *camera = kzalloc(sizeof(*camera), GFP_KERNEL);
	int ret;

	if (!camera)
		return -ENOMEM;
	snprintf(camera->name, sizeof(camera->name), "panel-camera%d", atomic_inc_return(&count) - 1);
	mutex_init(&camera->lock);
	init_waitqueue_head(&camera->done);
	camera->out = out;
	camera->misc.minor = MISC_DYNAMIC_MINOR;
	camera->misc.name = camera->name;
	camera->misc.fops = &camera_fops;
	camera->misc.mode = 0600;
	ret = misc_register(&camera->misc);
	if (ret) {
		kfree(camera);
		return ret;
	}
	out->camera = camera;
	return drmm_add_action_or_reset(out->crtc.dev, camera_fini, camera);
}
