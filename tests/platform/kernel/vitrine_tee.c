// SPDX-License-Identifier: GPL-2.0-only
/*
 * The platform's secure world, simulated. It stands for a TEE (OP-TEE on an Arm board, say) with a carve-out of memory
 * that a firewall keeps from the CPU's normal world and from every device outside the protected path.
 *
 * What is real: the TEE interface, the protected heap over it and the refusal of every mapping are mainline's own code
 * (drivers/tee). What is simulated: the pool is ordinary RAM, and this file is the only code that looks into it; no
 * hardware would stop other kernel code. Userspace cannot tell the difference.
 *
 * Applications: optee_test's sdp_basic (with the pseudo application behind it), so that a client of ours can run
 * against a real OP-TEE; and frame decryption, see vitrine_frame_decrypt.h.
 */
#include <crypto/aes-ctr.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/semaphore.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tee_core.h>
#include <linux/xarray.h>

#include "vitrine_frame_decrypt.h"
#include "vitrine_legacy_heap.h"
#include "vitrine_tee.h"

static unsigned int pool_mib = 128;
module_param(pool_mib, uint, 0444);
MODULE_PARM_DESC(pool_mib, "Size of the protected heap in MiB, 0 for none");

static bool dump;
module_param(dump, bool, 0444);
MODULE_PARM_DESC(dump, "Allow sdp_basic's DUMP, which a real product would not ship");

static bool takes_all;
module_param(takes_all, bool, 0444);
MODULE_PARM_DESC(takes_all, "Register any dma-buf in one piece, and believe that it is protected");

static bool supplicant = true;
module_param(supplicant, bool, 0444);
MODULE_PARM_DESC(supplicant, "tee-supplicant runs, which loads applications that are not built in");

/* GlobalPlatform's return codes and origins */
#define TEE_SUCCESS			0x00000000
#define TEE_ERROR_ACCESS_DENIED		0xFFFF0001
#define TEE_ERROR_BAD_PARAMETERS	0xFFFF0006
#define TEE_ERROR_BAD_STATE		0xFFFF0007
#define TEE_ERROR_ITEM_NOT_FOUND	0xFFFF0008
#define TEE_ERROR_NOT_SUPPORTED		0xFFFF000A
#define TEE_ERROR_OUT_OF_MEMORY		0xFFFF000C
#define TEE_ERROR_COMMUNICATION		0xFFFF000E
#define TEE_ERROR_SHORT_BUFFER		0xFFFF0010
#define TEE_ERROR_TARGET_DEAD		0xFFFF3024
#define TEE_ORIGIN_COMMS		2
#define TEE_ORIGIN_TEE			3
#define TEE_ORIGIN_TRUSTED_APP		4

/* An implementation id of our own, far from those that linux/tee.h gives out */
#define VITRINE_TEE_IMPL_ID		0x56495452

/* OP-TEE's limits, as measured on its 4.10 for an arm64 board: what one INVOKE may reference (page tables, shared by all), what
 * one registration may hold, how many calls it works on at a time. */
#define INVOKE_BUDGET	(14UL << 20)
#define REGISTER_LIMIT	(32UL << 20)
#define THREADS		2

#define MAX_PARAMS	4
#define TYPES(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (u32)(d) << 24)
#define NONE	TEE_IOCTL_PARAM_ATTR_TYPE_NONE
#define IN	TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INPUT
#define OUT	TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_OUTPUT
#define INOUT	TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INOUT

struct session;

struct application {
	const char *name;
	u8 uuid[TEE_IOCTL_UUID_LEN];
	bool built_in;	/* the others lie in files, which tee-supplicant brings */
	u32 (*invoke)(struct session *session, u32 command, u32 types, struct tee_param *params);
};

struct session {
	const struct application *app;
	struct tee_context *ctx;
	bool dead;	/* the application panicked */
	bool have_key;
	struct aes_enckey key;
};

static struct {
	struct tee_device *tee;
	phys_addr_t pool_start;
	size_t pool_size;
	struct xarray sessions;
	struct semaphore threads;	/* a call has one from its beginning to its end, also while it waits */
	struct completion never;
	struct mutex lock;	/* sessions are used and closed one at a time */
} world;

/* ---- Memory as the applications see it ---- */

static bool is_protected(const struct tee_param *param)
{
	const struct tee_shm *shm = param->u.memref.shm;
	phys_addr_t at;

	if (!shm)
		return false;
	if (takes_all && (shm->flags & TEE_SHM_DMA_BUF))
		return true;
	at = shm->paddr;
	return (shm->flags & TEE_SHM_DMA_BUF) && world.pool_size && at >= world.pool_start &&
	       at + shm->size <= world.pool_start + world.pool_size;
}

/* Where byte @offset of a memref is, and in *@run how many bytes follow it in one piece. */
static u8 *memref_at(const struct tee_param *param, size_t offset, size_t *run)
{
	const struct tee_shm *shm = param->u.memref.shm;
	size_t at = param->u.memref.shm_offs + offset;

	*run = param->u.memref.size - offset;
	if (shm->kaddr)
		return shm->kaddr + at;
	if (!shm->pages)	/* protected: one piece of the pool */
		return phys_to_virt(shm->paddr + at);
	at += shm->offset;	/* the client's own pages, registered */
	*run = min_t(size_t, *run, PAGE_SIZE - offset_in_page(at));
	return page_address(shm->pages[at >> PAGE_SHIFT]) + offset_in_page(at);
}

static void memref_read(u8 *to, const struct tee_param *from, size_t offset, size_t size)
{
	while (size) {
		size_t run;
		u8 *at = memref_at(from, offset, &run);

		run = min(run, size);
		memcpy(to, at, run);
		to += run;
		offset += run;
		size -= run;
	}
}

static void memref_copy(const struct tee_param *to, const struct tee_param *from, size_t size)
{
	size_t offset = 0;

	while (offset < size) {
		size_t run;
		u8 *at = memref_at(to, offset, &run);

		run = min(run, size - offset);
		memref_read(at, from, offset, run);
		offset += run;
	}
}

/* ---- sdp_basic: commands, order of checks and codes as in optee_test's ta_sdp_basic.c ---- */

/*
 * @denied is what a buffer in the wrong world gets: ACCESS_DENIED from the trusted application (which asks
 * TEE_CheckMemoryAccessRights), BAD_PARAMETERS from the pseudo application. One deviation: INJECT copies as much as
 * the source has, where optee_test's copies as much as the target has.
 */
static u32 sdp_inject(u32 types, struct tee_param *params, u32 denied)
{
	if (types != TYPES(IN, OUT, NONE, NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	if (params[1].u.memref.size < params[0].u.memref.size)
		return TEE_ERROR_SHORT_BUFFER;
	if (is_protected(&params[0]) || !is_protected(&params[1]))
		return denied;
	memref_copy(&params[1], &params[0], params[0].u.memref.size);
	return TEE_SUCCESS;
}

static u32 sdp_transform(u32 types, struct tee_param *params, u32 denied)
{
	size_t size;
	u8 *at;

	if (types != TYPES(INOUT, NONE, NONE, NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	if (!is_protected(&params[0]))
		return denied;
	for (at = memref_at(&params[0], 0, &size); size; size--, at++)
		*at = ~*at + 1;
	return TEE_SUCCESS;
}

static u32 sdp_dump(u32 types, struct tee_param *params, u32 denied)
{
	if (!dump)
		return TEE_ERROR_NOT_SUPPORTED;
	if (types != TYPES(IN, OUT, NONE, NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	if (params[1].u.memref.size < params[0].u.memref.size)
		return TEE_ERROR_SHORT_BUFFER;
	if (!is_protected(&params[0]) || is_protected(&params[1]))
		return denied;
	memref_copy(&params[1], &params[0], params[0].u.memref.size);
	return TEE_SUCCESS;
}

/* Commands 0 to 2 are done by the application, 3 to 5 by itself through a second session, 6 to 8 by the pseudo application. */
static u32 sdp_basic(struct session *session, u32 command, u32 types, struct tee_param *params)
{
	u32 denied = command >= 6 ? TEE_ERROR_BAD_PARAMETERS : TEE_ERROR_ACCESS_DENIED;

	if (command > 8)
		return TEE_ERROR_BAD_PARAMETERS;
	switch (command % 3) {
	case 0:
		return sdp_inject(types, params, denied);
	case 1:
		return sdp_transform(types, params, denied);
	default:
		return sdp_dump(types, params, denied);
	}
}

/* The pseudo application sees protected memory only when a trusted application calls it: from the normal world all fails. */
static u32 sdp_pseudo(struct session *session, u32 command, u32 types, struct tee_param *params)
{
	return TEE_ERROR_BAD_PARAMETERS;
}

/* ---- An application that goes wrong, for tests of what its clients make of that ---- */

#define BAD_APP_PANIC	0	/* it dies: TARGET_DEAD now and for ever, in this session */
#define BAD_APP_HANG	1	/* it never answers; not even SIGKILL ends the call */

static u32 bad_app(struct session *session, u32 command, u32 types, struct tee_param *params)
{
	switch (command) {
	case BAD_APP_PANIC:
		session->dead = true;
		return TEE_ERROR_TARGET_DEAD;
	case BAD_APP_HANG:
		mutex_unlock(&world.lock);	/* other threads go on */
		wait_for_completion(&world.never);
		mutex_lock(&world.lock);
		return TEE_ERROR_TARGET_DEAD;
	default:
		return TEE_ERROR_BAD_PARAMETERS;
	}
}

/* ---- Frame decryption ---- */

static u32 set_key(struct session *session, u32 types, struct tee_param *params)
{
	u8 raw[VITRINE_FRAME_DECRYPT_KEY_SIZE];

	if (types != TYPES(IN, NONE, NONE, NONE) || params[0].u.memref.size != sizeof(raw))
		return TEE_ERROR_BAD_PARAMETERS;
	if (is_protected(&params[0]))
		return TEE_ERROR_ACCESS_DENIED;
	memref_read(raw, &params[0], 0, sizeof(raw));
	session->have_key = aes_prepareenckey(&session->key, raw, sizeof(raw)) == 0;
	memzero_explicit(raw, sizeof(raw));
	return TEE_SUCCESS;
}

static u32 decrypt(struct session *session, u32 types, struct tee_param *params)
{
	size_t size = params[0].u.memref.size, offset, run;
	u8 counter[VITRINE_FRAME_DECRYPT_COUNTER_SIZE];
	u8 *page, *target;

	if (types != TYPES(IN, OUT, IN, NONE) || !size || params[2].u.memref.size != sizeof(counter))
		return TEE_ERROR_BAD_PARAMETERS;
	if (params[1].u.memref.size < size) {
		params[1].u.memref.size = size;
		return TEE_ERROR_SHORT_BUFFER;
	}
	if (is_protected(&params[0]) || !is_protected(&params[1]) || is_protected(&params[2]))
		return TEE_ERROR_ACCESS_DENIED;
	if (!session->have_key)
		return TEE_ERROR_BAD_STATE;

	/* The ciphertext goes through a page of ours, so that a client that scribbles meanwhile cannot see the key stream. */
	page = (u8 *)__get_free_page(GFP_KERNEL);
	if (!page)
		return TEE_ERROR_OUT_OF_MEMORY;
	memref_read(counter, &params[2], 0, sizeof(counter));
	target = memref_at(&params[1], 0, &run);
	for (offset = 0; offset < size; offset += PAGE_SIZE) {
		size_t part = min_t(size_t, size - offset, PAGE_SIZE);

		memref_read(page, &params[0], offset, part);
		aes_ctr(target + offset, page, part, counter, &session->key);
		cond_resched();
	}
	free_page((unsigned long)page);
	return TEE_SUCCESS;
}

static u32 frame_decrypt(struct session *session, u32 command, u32 types, struct tee_param *params)
{
	switch (command) {
	case VITRINE_FRAME_DECRYPT_SET_KEY:
		return set_key(session, types, params);
	case VITRINE_FRAME_DECRYPT_DECRYPT:
		return decrypt(session, types, params);
	default:
		return TEE_ERROR_BAD_PARAMETERS;
	}
}

static const struct application applications[] = {
	{ "sdp_basic", { 0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xe4,
			 0x9d, 0xbb, 0x10, 0x1f, 0x74, 0xf0, 0x00, 0x99 }, true, sdp_basic },
	{ "invoke_tests.pta", { 0xd9, 0x6a, 0x5b, 0x40, 0xc3, 0xe5, 0x21, 0xe3,
				0x87, 0x94, 0x10, 0x02, 0xa5, 0xd5, 0xc6, 0x1b }, true, sdp_pseudo },
	{ "bad_app", { 0x8e, 0x2d, 0x6c, 0x1f, 0x0b, 0x5a, 0x4b, 0x7e,
		       0x9f, 0x3c, 0x5d, 0x61, 0xe0, 0x7a, 0x42, 0x0d }, true, bad_app },
	{ "frame_decrypt", VITRINE_FRAME_DECRYPT_UUID, false, frame_decrypt },
};

/* ---- The TEE driver ---- */

static void get_version(struct tee_device *teedev, struct tee_ioctl_version_data *version)
{
	*version = (struct tee_ioctl_version_data) {
		.impl_id = VITRINE_TEE_IMPL_ID,
		.impl_caps = TEE_OPTEE_CAP_TZ,
		.gen_caps = TEE_GEN_CAP_GP | TEE_GEN_CAP_REG_MEM | TEE_GEN_CAP_MEMREF_NULL,
	};
}

static int open_context(struct tee_context *ctx)
{
	ctx->cap_memref_null = true;
	return 0;
}

static void free_session(struct session *session)
{
	kfree_sensitive(session);
}

static void close_context(struct tee_context *ctx)
{
	struct session *session;
	unsigned long id;

	mutex_lock(&world.lock);
	xa_for_each(&world.sessions, id, session) {
		if (session->ctx == ctx)
			free_session(xa_erase(&world.sessions, id));
	}
	mutex_unlock(&world.lock);
}

static void release_context(struct tee_context *ctx)
{
}

/* The application, or NULL with the answer in *@result. With a thread of the secure world. */
static const struct application *find_application(const u8 *uuid, u32 *result)
{
	const struct application *found = NULL;
	int i;

	for (i = 0; i < ARRAY_SIZE(applications); i++)
		if (!memcmp(uuid, applications[i].uuid, sizeof(applications[i].uuid)))
			found = &applications[i];
	*result = TEE_ERROR_ITEM_NOT_FOUND;
	if (!supplicant && !(found && found->built_in)) {
		/* The secure world asks for the application's file and waits for tee-supplicant's answer. */
		wait_for_completion_killable(&world.never);
		*result = TEE_ERROR_COMMUNICATION;
		return NULL;
	}
	return found;
}

static int add_session(struct tee_context *ctx, const struct application *app, u32 *id)
{
	struct session *session = kzalloc(sizeof(*session), GFP_KERNEL);
	int ret;

	if (!session)
		return -ENOMEM;
	session->app = app;
	session->ctx = ctx;
	ret = xa_alloc(&world.sessions, id, session, XA_LIMIT(1, INT_MAX), GFP_KERNEL);
	if (ret)
		free_session(session);
	return ret;
}

static int open_session(struct tee_context *ctx, struct tee_ioctl_open_session_arg *arg, struct tee_param *params)
{
	const struct application *app;
	int ret = 0;

	down(&world.threads);
	app = find_application(arg->uuid, &arg->ret);
	arg->ret_origin = arg->ret == TEE_ERROR_COMMUNICATION ? TEE_ORIGIN_COMMS : TEE_ORIGIN_TEE;
	if (app) {
		ret = add_session(ctx, app, &arg->session);
		arg->ret = TEE_SUCCESS;
		arg->ret_origin = TEE_ORIGIN_TRUSTED_APP;
	}
	up(&world.threads);
	return ret;
}

/* The session, if it is this client's. With world.lock held. */
static struct session *find_session(struct tee_context *ctx, u32 id)
{
	struct session *session = xa_load(&world.sessions, id);

	return session && session->ctx == ctx ? session : NULL;
}

static int close_session(struct tee_context *ctx, u32 id)
{
	struct session *session;

	mutex_lock(&world.lock);
	session = find_session(ctx, id);
	if (session)
		xa_erase(&world.sessions, id);
	mutex_unlock(&world.lock);
	if (!session)
		return -EINVAL;
	free_session(session);
	return 0;
}

static bool has_null_memref(const struct tee_param *params, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (tee_param_is_memref((struct tee_param *)&params[i]) && !params[i].u.memref.shm)
			return true;
	return false;
}

static int invoke(struct tee_context *ctx, struct tee_ioctl_invoke_arg *arg, struct tee_param *given)
{
	struct tee_param params[MAX_PARAMS] = {};
	struct session *session;
	size_t referenced = 0;
	u32 types = 0;
	int i, ret = 0;

	if (arg->num_params > MAX_PARAMS)
		return -EINVAL;
	for (i = 0; i < arg->num_params; i++) {
		params[i] = given[i];
		types |= (u32)(given[i].attr & TEE_IOCTL_PARAM_ATTR_TYPE_MASK) << (8 * i);
		if (tee_param_is_memref(&given[i]) && given[i].u.memref.shm)
			referenced += given[i].u.memref.size;
	}

	down(&world.threads);
	/* One lock for all applications: a secure world with one core. */
	mutex_lock(&world.lock);
	session = find_session(ctx, arg->session);
	if (!session) {
		ret = -EINVAL;
	} else if (session->dead || has_null_memref(given, arg->num_params)) {
		session->dead = true;	/* none of the applications here looks before it reads */
		arg->ret = TEE_ERROR_TARGET_DEAD;
	} else if (referenced > INVOKE_BUDGET) {
		arg->ret = TEE_ERROR_OUT_OF_MEMORY;
	} else {
		arg->ret = session->app->invoke(session, arg->func, types, params);
	}
	/* Panics, and what a pseudo application says, come from the TEE itself. */
	arg->ret_origin = session && (session->dead || session->app->invoke == sdp_pseudo) ? TEE_ORIGIN_TEE
											 : TEE_ORIGIN_TRUSTED_APP;
	mutex_unlock(&world.lock);
	up(&world.threads);
	for (i = 0; i < arg->num_params; i++)
		given[i] = params[i];	/* sizes that an application wrote */
	return ret;
}

/* Of a kernel like those that Linaro's secure data path ran on, and mainline's series until v11. */
int vitrine_tee_register_contiguous(struct dma_buf *dmabuf, struct tee_shm *shm)
{
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
	int ret = -EINVAL;

	if (!takes_all)
		return -EINVAL;
	attachment = dma_buf_attach(dmabuf, &world.tee->dev);
	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	table = dma_buf_map_attachment_unlocked(attachment, DMA_BIDIRECTIONAL);
	if (IS_ERR(table)) {
		ret = PTR_ERR(table);
		goto detach;
	}
	if (table->orig_nents == 1) {
		shm->paddr = sg_phys(table->sgl);
		shm->size = dmabuf->size;
		ret = 0;
	}
	dma_buf_unmap_attachment_unlocked(attachment, table, DMA_BIDIRECTIONAL);
detach:
	dma_buf_detach(dmabuf, attachment);
	return ret;
}

/* A client's own pages need no mapping here. They are ordinary memory by nature: protected memory has no user mapping. */
static int shm_register(struct tee_context *ctx, struct tee_shm *shm, struct page **pages, size_t num_pages,
			unsigned long start)
{
	return num_pages << PAGE_SHIFT > REGISTER_LIMIT ? -EINVAL : 0;
}

static int shm_unregister(struct tee_context *ctx, struct tee_shm *shm)
{
	return 0;
}

static const struct tee_driver_ops driver_ops = {
	.get_version = get_version,
	.open = open_context,
	.close_context = close_context,
	.release = release_context,
	.open_session = open_session,
	.close_session = close_session,
	.invoke_func = invoke,
	.shm_register = shm_register,
	.shm_unregister = shm_unregister,
};

static const struct tee_desc desc = {
	.name = "vitrine-tee",
	.ops = &driver_ops,
	.owner = THIS_MODULE,
};

static int pool_op_alloc(struct tee_shm_pool *pool, struct tee_shm *shm, size_t size, size_t align)
{
	return tee_dyn_shm_alloc_helper(shm, size, align, NULL);
}

static void pool_op_free(struct tee_shm_pool *pool, struct tee_shm *shm)
{
	tee_dyn_shm_free_helper(shm, NULL);
}

static void pool_op_destroy(struct tee_shm_pool *pool)
{
}

static const struct tee_shm_pool_ops shm_pool_ops = {
	.alloc = pool_op_alloc,
	.free = pool_op_free,
	.destroy_pool = pool_op_destroy,
};

static struct tee_shm_pool shm_pool = { .ops = &shm_pool_ops };

static int __init make_heap(void)
{
	unsigned long count = (unsigned long)pool_mib << (20 - PAGE_SHIFT);
	struct tee_protmem_pool *pool;
	struct page *pages;

	pages = alloc_contig_pages(count, GFP_KERNEL, first_online_node, NULL);
	if (!pages)
		return -ENOMEM;
	world.pool_start = page_to_phys(pages);
	world.pool_size = count << PAGE_SHIFT;
	if (vitrine_legacy_heap_wanted())
		return vitrine_legacy_heap_add(world.pool_start, world.pool_size);
	pool = tee_protmem_static_pool_alloc(world.pool_start, world.pool_size);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	return tee_device_register_dma_heap(world.tee, TEE_DMA_HEAP_SECURE_VIDEO_PLAY, pool);
}

static int __init vitrine_tee_init(void)
{
	int ret;

	mutex_init(&world.lock);
	sema_init(&world.threads, THREADS);
	init_completion(&world.never);
	xa_init_flags(&world.sessions, XA_FLAGS_ALLOC1);
	world.tee = tee_device_alloc(&desc, NULL, &shm_pool, NULL);
	if (IS_ERR(world.tee))
		return PTR_ERR(world.tee);
	ret = dma_coerce_mask_and_coherent(&world.tee->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	ret = tee_device_register(world.tee);
	if (ret)
		return ret;
	if (pool_mib) {
		ret = make_heap();
		if (ret) {
			pr_err("vitrine_tee: no protected heap of %u MiB: error %d; boot with more memory (mem=)\n", pool_mib, ret);
			return ret;
		}
	}
	pr_info("vitrine_tee: simulated secure world, protected heap of %u MiB%s\n", pool_mib,
		dump ? ", DUMP allowed" : "");
	return 0;
}
late_initcall(vitrine_tee_init);

MODULE_DESCRIPTION("Simulated secure world of the Vitrine platform");
MODULE_LICENSE("GPL");
