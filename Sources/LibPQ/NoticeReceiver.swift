import CLibPQ

/// A receiver that passes the notices of one connection to a closure.
@safe
final class NoticeReceiver: Sendable {
    let handler: @Sendable (String, String) -> Void

    init(_ handler: @escaping @Sendable (String, String) -> Void) {
        self.handler = handler
    }

    /// Makes `connection` call this receiver.
    ///
    /// The receiver must outlive the connection.
    func install(on connection: OpaquePointer) {
        unsafe PQsetNoticeReceiver(connection, receiveNotice, Unmanaged.passUnretained(self).toOpaque())
    }
}

/// Passes a notice on.
///
/// libpq calls this function.
///
/// The function must not call into the connection. The result belongs to libpq, which clears it.
@c
private func receiveNotice(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let context = unsafe context else { return }
    let receiver = unsafe Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue()
    let severity = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "V"))).map { unsafe String(cString: $0) }
    let message = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { unsafe String(cString: $0) }
    receiver.handler(severity ?? "NOTICE", message ?? "")
}
