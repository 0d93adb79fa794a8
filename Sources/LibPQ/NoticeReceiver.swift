import CLibPQ

/// Passes a connection's notices on to a closure.
@safe
final class NoticeReceiver: Sendable {
    let handler: @Sendable (String, String) -> Void

    init(_ handler: @escaping @Sendable (String, String) -> Void) {
        self.handler = handler
    }

    /// Makes `connection` call this receiver, which must outlive it.
    func install(on connection: OpaquePointer) {
        unsafe PQsetNoticeReceiver(connection, receiveNotice, Unmanaged.passUnretained(self).toOpaque())
    }
}

/// libpq's callback.
///
/// It must not call back into the connection, and the result is libpq's own: it is read and not cleared.
@c
private func receiveNotice(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let context = unsafe context else { return }
    let receiver = unsafe Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue()
    let severity = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "V"))).map { unsafe String(cString: $0) }
    let message = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { unsafe String(cString: $0) }
    receiver.handler(severity ?? "NOTICE", message ?? "")
}
