/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The frame decryption application of the platform's secure world: what it is asked, over the kernel's TEE interface
 * (linux/tee.h), and what it answers. It stands for the trusted application that a content protection system ships:
 * clear frames come into being in protected memory and nowhere else.
 *
 * UUID e1938b2b-f8aa-4611-900a-a96873961996, any login. A session holds one key; it is forgotten with the session.
 *
 * VITRINE_FRAME_DECRYPT_SET_KEY
 *   [0] memref input   ordinary shared memory, 16 bytes: the AES-128 key (in reality: a licence, in which it is wrapped)
 *
 * VITRINE_FRAME_DECRYPT_DECRYPT
 *   [0] memref input   ordinary shared memory: the ciphertext, of any length but 0
 *   [1] memref output  a protected dma-buf (TEE_IOC_SHM_REGISTER_FD): gets the plaintext at its offset, as many bytes as [0] has;
 *                      the rest of it is untouched
 *   [2] memref input   ordinary shared memory, 16 bytes: the first counter block (big endian, one up for every 16 bytes).
 *                      It is not written back
 *
 * Parameters not named are NONE. Answers (ret; ret_origin is 4, the trusted application, unless said otherwise):
 *   0x00000000 SUCCESS
 *   0xFFFF0001 ACCESS_DENIED   the target is not protected memory, or a source (or the key) is
 *   0xFFFF0006 BAD_PARAMETERS  other parameter types, no ciphertext, a key or counter that has not 16 bytes, unknown command
 *   0xFFFF0007 BAD_STATE       DECRYPT before SET_KEY
 *   0xFFFF0008 ITEM_NOT_FOUND  (opening a session, ret_origin 3, the TEE) no such application
 *   0xFFFF0010 SHORT_BUFFER    the target is smaller than the ciphertext
 * A memref that does not lie within its memory, or a memory or session that does not exist, never gets here: the ioctl
 * itself fails with EINVAL. Checks are made in the order types, sizes, protection, state.
 */
#ifndef VITRINE_FRAME_DECRYPT_H
#define VITRINE_FRAME_DECRYPT_H

#define VITRINE_FRAME_DECRYPT_UUID \
	{ 0xe1, 0x93, 0x8b, 0x2b, 0xf8, 0xaa, 0x46, 0x11, \
	  0x90, 0x0a, 0xa9, 0x68, 0x73, 0x96, 0x19, 0x96 }

#define VITRINE_FRAME_DECRYPT_SET_KEY	0
#define VITRINE_FRAME_DECRYPT_DECRYPT	1

#define VITRINE_FRAME_DECRYPT_KEY_SIZE		16
#define VITRINE_FRAME_DECRYPT_COUNTER_SIZE	16

#endif
