// How a device queue uses the memory of KDEVICE_QUEUE and KDEVICE_QUEUE_ENTRY:
// the one description of the structure, and the types through which the code
// looks at it. No algorithm is here.
//
// A queue is a search tree followed by the documented list. Queue order is the
// tree from left to right, then the list from Flink to Flink. While no keyed
// routine has to walk far the tree is empty and every entry is in the list,
// where a debugger sees it: unkeyed inserts, keyed inserts at the tail and
// removals of the head are plain list operations at any depth.
//
//   KDEVICE_QUEUE                  .--- tree: in order of key ---.   .-- list --.
//   +0   Type, Size                              40
//   +4   entries in the tree                   /    \                any order,
//   +8   DeviceListHead  ------------------------------------------> 90 <-> 70
//   +24  Lock                              20          60
//   +32  Busy | root << 8  ---> 40        /  \        /  \           [ring through
//                                        -    \      -    -           the head]
//                                              |
//                                     bucket of 20: 20 <-> 20 <-> 20
//                                     [ring; the slot names its last]
//
// The tree is an AVL tree of the entries themselves. Its keys are distinct:
// entries that arrive with a key that is already a node's wait in that node's
// bucket, a ring in order of arrival. The bucket hangs where a search for the key
// ends, in the empty slot that follows the node in the order of the tree. So a
// slot holds a child, or nothing, or a bucket; rotations move all three alike, a
// million equal keys are one node, and every entry of the tree is found from the
// root by its key, which is why no parent pointer is needed.
//
// A keyed routine that walked ListMax() entries of the list in vain moves the
// entries it walks past to the right end of the tree, for as long as their keys do
// not descend; so no entry is walked past twice. Entries behind a descending key,
// which only an unkeyed insert can make, are walked one by one until the order is
// restored by their removal. A tree of TreeMin() entries or less goes back to the
// front of the list; it takes as many removals as it had entries to get there.
//
// Invariants (KiCheckDeviceQueue):
//  I1  Not busy: no entry at all. Every entry is marked as inserted, and with the
//      place where it is.
//  I2  The tree is empty, or holds more than TreeMin() entries; the queue's count
//      of them is right.
//  I3  The heights of the two sides of a node differ by at most one, and `balance`
//      is right minus left. A bucket has height 0, like an empty slot.
//  I4  Keys of nodes strictly ascend.
//  I5  The slot that follows a node holds its bucket: all entries have the node's
//      key, and there is one or more if and only if `chained` is set. The slot in
//      front of the first node is empty.
//  I6  Bucket and list are rings that are linked alike in both directions.
//
// Costs, with n entries in the queue: unkeyed insert O(1); head removal O(1) from
// the list and O(log n) from the tree; keyed routines and removal of any entry
// O(log n), amortised over the inserts for entries that must leave the list, or
// linear in the part of the list behind a descending key. Nothing recurses and
// nothing allocates; all state is under the queue's lock.
//
// SortKey of a queued entry belongs to the queue. The list seen through
// DeviceListHead is the whole queue only while the tree is empty.
#ifndef CANCELSAFE_IMPL_DEVICE_QUEUE_LAYOUT_H_
#define CANCELSAFE_IMPL_DEVICE_QUEUE_LAYOUT_H_

#include "wdm.h"

// Entries a keyed routine walks in the list before it turns to the tree. Tests make it
// small, to meet the tree with few entries; under a fuzzer it is the host's to say, before
// a queue is initialised.
#if CANCELSAFE_DEVICE_QUEUE_LIST_MAX_OF_HOST
#include "kernel/list_max.h"
#endif
#ifndef CANCELSAFE_DEVICE_QUEUE_LIST_MAX
#define CANCELSAFE_DEVICE_QUEUE_LIST_MAX 48
#endif

namespace cancelsafe {
// Hidden, so that an implementation in a shared object never meets the host's.
namespace [[gnu::visibility("hidden")]] device_queue {

#if CANCELSAFE_DEVICE_QUEUE_LIST_MAX_OF_HOST
inline int ListMax() { return CancelsafeDeviceQueueListMax(); }
inline ULONG TreeMin() { return static_cast<ULONG>(ListMax()) / 2; }
#else
constexpr int ListMax() { return CANCELSAFE_DEVICE_QUEUE_LIST_MAX; }
constexpr ULONG TreeMin() { return ListMax() / 2; }
#endif

// No AVL tree of 2^32 nodes is higher.
enum : int { kMaxHeight = 47 };

struct Node;

// What a node's side holds: a child, nothing, or a bucket (named by its last
// entry). The low bit tells the first from the other two.
class __attribute__((may_alias)) Slot {
 public:
  static Slot Empty() { return Slot(1); }
  static Slot OfNode(Node* node) { return Slot(reinterpret_cast<ULONG_PTR>(node)); }
  static Slot OfBucket(Node* last) { return Slot(reinterpret_cast<ULONG_PTR>(last) | 1); }

  bool IsNode() const { return (bits_ & 1) == 0; }
  bool IsBucket() const { return (bits_ & 1) != 0 && bits_ != 1; }
  Node* node() const { return reinterpret_cast<Node*>(bits_); }
  Node* bucket_last() const { return reinterpret_cast<Node*>(bits_ ^ 1); }
  ULONG_PTR bits() const { return bits_; }
  // Any slot may be named: what is not an address is ignored.
  void Prefetch() const { __builtin_prefetch(reinterpret_cast<const void*>(bits_)); }

  Slot() = default;  // Indeterminate, as memory of an entry is.

 private:
  explicit Slot(ULONG_PTR bits) : bits_(bits) {}
  ULONG_PTR bits_;
};

// Where an inserted entry is.
enum : UCHAR { kInList = 0, kInTree = 1, kInBucket = 2 };

// KDEVICE_QUEUE_ENTRY as this implementation uses it.
struct __attribute__((may_alias)) Node {
  union {
    LIST_ENTRY links;  // in the list or in a bucket
    Slot child[2];     // in the tree: left, right
  };
  ULONG key;
  union {
    ULONG state;  // the four below at once; an entry of the list has just `inserted`
    struct {
      BOOLEAN inserted;
      signed char balance;  // height of the right side minus height of the left side
      UCHAR place;
      UCHAR chained;  // has a bucket
    } in;
  };
};

// KDEVICE_QUEUE as this implementation uses it.
struct __attribute__((may_alias)) Queue {
  CSHORT type;
  CSHORT size;
  ULONG tree_count;  // nodes and their buckets' entries
  LIST_ENTRY list;
  KSPIN_LOCK lock;
  union {
    BOOLEAN busy;
    ULONG64 word;  // busy, and above it the root: 56 bits of an address whose low
                   // three bits are zero and whose upper bits repeat its sign
  };
};

static_assert(sizeof(Node) == sizeof(KDEVICE_QUEUE_ENTRY), "the entry has no other room");
static_assert(offsetof(Node, key) == offsetof(KDEVICE_QUEUE_ENTRY, SortKey), "SortKey");
static_assert(offsetof(Node, in) == offsetof(KDEVICE_QUEUE_ENTRY, Inserted), "Inserted");
static_assert(sizeof(Queue) == sizeof(KDEVICE_QUEUE), "the queue has no other room");
static_assert(offsetof(Queue, list) == offsetof(KDEVICE_QUEUE, DeviceListHead), "DeviceListHead");
static_assert(offsetof(Queue, lock) == offsetof(KDEVICE_QUEUE, Lock), "Lock");
static_assert(offsetof(Queue, busy) == offsetof(KDEVICE_QUEUE, Busy), "Busy");

inline Node* NodeOf(PKDEVICE_QUEUE_ENTRY entry) { return reinterpret_cast<Node*>(entry); }
inline Node* NodeOf(PLIST_ENTRY link) { return CONTAINING_RECORD(link, Node, links); }
inline PKDEVICE_QUEUE_ENTRY EntryOf(Node* node) {
  return reinterpret_cast<PKDEVICE_QUEUE_ENTRY>(node);
}
inline Queue* QueueOf(PKDEVICE_QUEUE queue) { return reinterpret_cast<Queue*>(queue); }
inline const Queue* QueueOf(const KDEVICE_QUEUE* queue) {
  return reinterpret_cast<const Queue*>(queue);
}

inline bool HasTree(const Queue* queue) { return (queue->word >> 8) != 0; }

inline Slot Root(const Queue* queue) {
  const LONG64 above_busy = static_cast<LONG64>(queue->word & ~0xffull);
  return HasTree(queue) ? Slot::OfNode(reinterpret_cast<Node*>(above_busy >> 5)) : Slot::Empty();
}

inline void SetRoot(Queue* queue, Slot root) {
  const ULONG64 address = root.IsNode() ? root.bits() : 0;
  queue->word = address << 5 | (queue->word & 0xff);
}

}  // namespace device_queue
}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_DEVICE_QUEUE_LAYOUT_H_
