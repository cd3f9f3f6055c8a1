// Walks a device queue once and compares it with every invariant. Reads only;
// shares no code with the routines it checks beyond the layout.
#include "device_queue_check.h"

#include <stdio.h>
#include <stdlib.h>

// The walk is not an access of the implementation: neither a race nor a place to
// switch processors is wanted in it.
#define QUIET __attribute__((no_sanitize("thread", "coverage")))

namespace cancelsafe {
namespace [[gnu::visibility("hidden")]] device_queue {
namespace {

// One walk, from left to right. Stops at the first complaint.
class Checker {
 public:
  QUIET explicit Checker(const Queue* queue) : queue_(queue) {}

  QUIET QueueCheck Run() {
    CheckTree();
    CheckList();
    Require(queue_->busy || tree_ + list_ == 0, "I1: entries in a queue that is not busy");
    Require(queue_->busy <= TRUE, "I1: the busy state is not a Boolean");
    Require(tree_ == queue_->tree_count, "I2: the count of the tree's entries");
    Require(tree_ == 0 || tree_ > TreeMin(), "I2: a tree too small for its form");
    return {broken_, tree_, list_};
  }

 private:
  struct Frame {
    const Node* node;
    int left_height;  // -1 until the left side is done
  };

  QUIET void Require(bool holds, const char* invariant) {
    if (!holds && broken_ == nullptr) broken_ = invariant;
  }

  QUIET void CheckTree() {
    Frame stack[kMaxHeight];
    int depth = 0;
    Slot slot = Root(queue_);
    while (broken_ == nullptr) {
      if (slot.IsNode()) {
        if (depth == kMaxHeight) return Require(false, "I3: higher than any AVL tree");
        stack[depth++] = {slot.node(), -1};
        slot = slot.node()->child[0];
        continue;
      }
      CheckEnd(slot);
      int height = 0;  // of the side that was just finished
      while (depth > 0 && stack[depth - 1].left_height >= 0) {
        height = FinishNode(stack[--depth], height);
      }
      if (depth == 0) return;
      stack[depth - 1].left_height = height;
      EnterNode(stack[depth - 1].node);
      slot = stack[depth - 1].node->child[1];
    }
  }

  // The walk passes from the left side of `node` to its right side.
  QUIET void EnterNode(const Node* node) {
    CheckEntry(node, kInTree);
    ++tree_;
    Require(previous_ == nullptr || previous_->key < node->key, "I4: keys do not ascend");
    previous_ = node;
  }

  QUIET int FinishNode(const Frame& frame, int right_height) {
    const int lean = right_height - frame.left_height;
    Require(lean >= -1 && lean <= 1, "I3: out of balance");
    Require(lean == frame.node->in.balance, "I3: the stored balance is wrong");
    return 1 + (right_height > frame.left_height ? right_height : frame.left_height);
  }

  // `slot` follows previous_, or is the first of all.
  QUIET void CheckEnd(Slot slot) {
    if (previous_ == nullptr) return Require(!slot.IsBucket(), "I5: a bucket before the first");
    Require(slot.IsBucket() == (previous_->in.chained != 0), "I5: bucket and mark disagree");
    if (!slot.IsBucket()) return;
    const Node* last = slot.bucket_last();
    const Node* node = last;
    do {
      node = Next(node);
      CheckEntry(node, kInBucket);
      Require(node->key == previous_->key, "I5: a key of another bucket");
      ++tree_;
    } while (node != last && broken_ == nullptr);
  }

  QUIET void CheckList() {
    const LIST_ENTRY* list = &queue_->list;
    const LIST_ENTRY* link = list;
    while (broken_ == nullptr) {
      Require(link->Flink->Blink == link, "I6: the links of the list disagree");
      link = link->Flink;
      if (link == list) return;
      CheckEntry(NodeOf(const_cast<PLIST_ENTRY>(link)), kInList);
      ++list_;
    }
  }

  QUIET const Node* Next(const Node* node) {
    Require(node->links.Flink->Blink == &node->links, "I6: the links of a bucket disagree");
    return NodeOf(node->links.Flink);
  }

  QUIET void CheckEntry(const Node* node, UCHAR place) {
    Require(node->in.inserted == TRUE, "I1: an entry that is not marked as inserted");
    Require(node->in.place == place, "I1: an entry marked with another place");
  }

  const Queue* const queue_;
  const Node* previous_ = nullptr;  // node of the tree last passed
  const char* broken_ = nullptr;
  ULONG tree_ = 0;
  ULONG list_ = 0;
};

}  // namespace

QUIET QueueCheck KiCheckDeviceQueue(const KDEVICE_QUEUE* queue) {
  return Checker(QueueOf(queue)).Run();
}

QUIET void RequireSound(const Queue* queue) {
  const char* broken = Checker(queue).Run().broken;
  if (broken == nullptr) return;
  fprintf(stderr, "device queue: broken invariant %s\n", broken);
  abort();
}

}  // namespace device_queue
}  // namespace cancelsafe
