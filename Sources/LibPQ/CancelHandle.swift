import CLibPQ

/// Enough of a connection to ask its server, from any thread, to stop what that connection is doing.
@safe
public final class CancelHandle: @unchecked Sendable {  // PQcancel is documented as safe in any thread (manual 34.7)
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe PQfreeCancel(pointer)
    }

    /// Asks the server to stop the current query, and returns when the server has passed the request on.
    ///
    /// **Blocks** for a connection's set-up, so it belongs on a thread of its own. The request travels unencrypted, even when the
    /// connection does not: libpq before 17 offers nothing else.
    /// - Returns: whether the request was delivered. That says nothing about whether the query stopped.
    public func cancel() -> Bool {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
            unsafe message.initialize(repeating: 0)
            return unsafe PQcancel(pointer, message.baseAddress, Int32(message.count)) == 1
        }
    }
}
