import LibPQ
import Synchronization

extension PostgresConnection {
    /// The maximum number of bytes that are handed to libpq at once.
    private static let pieceSize = 1 << 20

    /// Copies rows into a table, by `COPY … FROM STDIN`.
    ///
    /// Each chunk is handed over when the chunk before it has left for the socket, so a slow server slows the source down. If the source
    /// throws or the task is cancelled, the server fails the COPY, and no row of it stays.
    ///
    /// - Parameters:
    ///   - sql: The COPY command, with any of its formats.
    ///   - chunks: The data, cut anywhere.
    ///   - deadline: The maximum time of each chunk. Defaults to the configuration's `queryDeadline`.
    /// - Returns: The number of copied rows.
    /// - Throws: The error of the source, or the errors of ``query(_:_:deadline:)``.
    @discardableResult
    public func copyIn<Chunks: AsyncSequence>(
        _ sql: String,
        _ chunks: Chunks,
        deadline: Duration? = nil
    ) async throws -> Int where Chunks.Element == [UInt8] {
        let deadline = deadline ?? configuration.queryDeadline
        guard let spans else { return try await untracedCopyIn(sql, chunks, deadline) }
        return try await spans.operation("COPY") { try await untracedCopyIn(sql, chunks, deadline) }
    }

    private func untracedCopyIn<Chunks: AsyncSequence>(
        _ sql: String,
        _ chunks: Chunks,
        _ deadline: Duration
    ) async throws -> Int where Chunks.Element == [UInt8] {
        _ = try await session.run(.copyIn(sql), deadline: deadline)
        do {
            for try await chunk in chunks {
                try Task.checkCancellation()
                // libpq's buffer grows to hold a whole message and never shrinks.
                for start in stride(from: 0, to: chunk.count, by: Self.pieceSize) {
                    let end = min(start + Self.pieceSize, chunk.count)
                    let piece = end - start == chunk.count ? chunk : Array(chunk[start..<end])
                    try await session.put(.data(piece), deadline: deadline)
                }
            }
            try Task.checkCancellation()
        } catch {
            // The error to report is the source's, not the server's answer to the failed COPY.
            _ = try? await session.endCopy(sql, failingWith: "the sender gave up", deadline: deadline)
            throw error
        }
        return try await session.endCopy(sql, failingWith: nil, deadline: deadline).affectedRows
    }
}
