import CLibPQ

/// A handle that asks a server, from any thread, to stop the statement of one connection.
@safe
public final class CancelHandle: @unchecked Sendable {  // PQcancel is documented as safe in any thread (manual 34.7)
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe PQfreeCancel(pointer)
    }

    /// Asks the server to stop the current statement, and returns when the server has passed the request on.
    ///
    /// This call **blocks** while it opens a connection of its own, so it needs a thread for blocking calls. The request travels
    /// unencrypted, even if the connection is encrypted: libpq before version 17 has no other way.
    ///
    /// - Returns: True if the request was delivered. The statement can still run to its end.
    public func cancel() -> Bool {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
            unsafe message.initialize(repeating: 0)
            return unsafe PQcancel(pointer, message.baseAddress, Int32(message.count)) == 1
        }
    }
}
