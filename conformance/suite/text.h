// Text in fixed buffers, for a place without a C library. What does not fit is
// cut; nothing is ever written past the end.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_TEXT_H_
#define CANCELSAFE_CONFORMANCE_SUITE_TEXT_H_

namespace cancelsafe::suite {

bool SameText(const char* a, const char* b);
bool StartsWith(const char* text, const char* start);
// True if `word` is one of the space-separated words of `words`.
bool HasWord(const char* words, const char* word, int word_length);

template <int kCapacity>
class Text {
 public:
  Text() { Clear(); }
  const char* c_str() const { return characters_; }
  int size() const { return size_; }
  void Clear() {
    size_ = 0;
    characters_[0] = 0;
  }

  Text& Add(char c) {
    if (size_ + 1 < kCapacity) {
      characters_[size_++] = c;
      characters_[size_] = 0;
    }
    return *this;
  }
  Text& Add(const char* text) {
    while (*text != 0) Add(*text++);
    return *this;
  }
  Text& AddNumber(long long value) {
    if (value < 0) {
      Add('-');
      value = -value;
    }
    char digits[24];
    int count = 0;
    do {
      digits[count++] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    while (count > 0) Add(digits[--count]);
    return *this;
  }
  Text& AddHex(unsigned long long value) {
    Add("0x");
    int shift = 60;
    while (shift > 0 && ((value >> shift) & 15) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) Add("0123456789abcdef"[(value >> shift) & 15]);
    return *this;
  }

 private:
  int size_;
  char characters_[kCapacity];
};

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_TEXT_H_
