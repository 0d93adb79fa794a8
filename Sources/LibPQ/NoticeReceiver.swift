import CLibPQ

/// A receiver that passes the notices of one connection to a closure.
@safe
final class NoticeReceiver: Sendable {
    let handler: @Sendable (ServerNotice) -> Void

    init(_ handler: @escaping @Sendable (ServerNotice) -> Void) {
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
    receiver.handler(
        unsafe ServerNotice(
            severity: field(result, "V") ?? "NOTICE",
            sqlState: field(result, "C") ?? "",
            message: field(result, "M") ?? "",
            routine: field(result, "R") ?? ""
        )
    )
}

/// Returns a field of a notice, named by its `PG_DIAG_…` character of `postgres_ext.h`.
private func field(_ result: OpaquePointer?, _ name: Unicode.Scalar) -> String? {
    unsafe PQresultErrorField(result, Int32(name.value)).map { unsafe String(cString: $0) }
}
