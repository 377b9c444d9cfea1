//! The system's allocator, with a message if memory runs out.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator. It calls a function if memory runs out, instead of a signal that kills the process.
///
/// A program sets it as its `#[global_allocator]`.
#[derive(Debug, Clone, Copy)]
pub struct Allocator {
    ran_out: fn(usize),
}

impl Allocator {
    /// An allocator that calls `ran_out` with the size of a failed allocation. That function should end the process;
    /// if it returns, the allocation fails. It may be called again while it runs.
    pub const fn new(ran_out: fn(usize)) -> Self {
        Self { ran_out }
    }

    fn checked(self, memory: *mut u8, bytes: usize) -> *mut u8 {
        if memory.is_null() {
            (self.ran_out)(bytes);
        }
        memory
    }
}

// SAFETY: every call is passed to the system's allocator, which keeps the contract, and its result is returned
// unchanged.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        self.checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        self.checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: all memory here comes from the system's allocator, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`, and the caller keeps the contract of `realloc`.
        self.checked(unsafe { System.realloc(memory, layout, size) }, size)
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static ASKED: AtomicUsize = AtomicUsize::new(0);

    #[test]
    fn memory_is_the_systems_and_what_is_not_there_is_told() {
        let allocator = Allocator::new(|bytes| ASKED.store(bytes, Ordering::Relaxed));
        let layout = Layout::from_size_align(64, 8).unwrap();
        // SAFETY: the layouts are not empty, memory is written within them and freed with its own layout.
        unsafe {
            let memory = allocator.alloc(layout);
            memory.write(7);
            let memory = allocator.realloc(memory, layout, 1 << 20);
            assert_eq!(memory.read(), 7);
            allocator.dealloc(memory, Layout::from_size_align(1 << 20, 8).unwrap());
            let zeroed = allocator.alloc_zeroed(layout);
            assert_eq!(zeroed.add(63).read(), 0);
            allocator.dealloc(zeroed, layout);
        }
        assert_eq!(ASKED.load(Ordering::Relaxed), 0);
        // No address space is that large.
        let all = Layout::from_size_align(1 << 60, 8).unwrap();
        // SAFETY: the layout is not empty.
        assert!(black_box(unsafe { allocator.alloc(all) }).is_null());
        assert_eq!(ASKED.load(Ordering::Relaxed), 1 << 60);
    }
}
