import Locks
public import Logging

/// Keeps every line that is logged through it, at all levels, with its metadata.
///
/// ```swift
/// let log = LogCollector()
/// let logger = log.logger
/// …
/// #expect(log.lines.contains { $0.message == "started" })
/// #expect(!log.text.contains(secret))
/// ```
public struct LogCollector: LogHandler {
    /// One line.
    public struct Line: Sendable {
        /// The line's level.
        public let level: Logger.Level
        /// The label of the logger that wrote it.
        public let label: String
        /// The message.
        public let message: String
        /// The logger's metadata and the line's own, as text.
        public let metadata: [String: String]
        /// The line as a program prints it: level, label, metadata in the order of their keys, message and error.
        public let text: String
    }

    private final class Store: Sendable {
        let lines = Locked<[Line]>([])
    }

    private let store: Store
    private let label: String
    /// The metadata of the logger.
    public var metadata: Logger.Metadata = [:]
    /// The least important level that is kept; `trace` by default.
    public var logLevel = Logger.Level.trace
    /// The source of further metadata.
    public var metadataProvider: Logger.MetadataProvider?

    /// Makes an empty collector.
    public init(label: String = "test") {
        store = Store()
        self.label = label
    }

    private init(label: String, store: Store) {
        self.store = store
        self.label = label
    }

    /// A logger that writes here.
    public var logger: Logger { self.logger(label: label) }

    /// A logger of another name that writes here.
    public func logger(label: String) -> Logger {
        Logger(label: label, factory: { LogCollector(label: $0, store: store) })
    }

    /// All lines so far, of all loggers made from this collector.
    public var lines: [Line] { store.lines.withLock(\.self) }

    /// All lines so far as one text, to search for what must or must not be in it.
    public var text: String { lines.map(\.text).joined(separator: "\n") }

    /// One value of the logger's metadata.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Keeps a line.
    public func log(event: LogEvent) {
        var metadata = self.metadata
        metadata.merge(metadataProvider?.get() ?? [:]) { _, new in new }
        metadata.merge(event.metadata ?? [:]) { _, new in new }
        let texts = metadata.mapValues { "\($0)" }
        let pairs = texts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var parts = ["\(event.level)", label] + pairs + [event.message.description]
        if let error = event.error { parts.append("\(error)") }
        let line = Line(
            level: event.level,
            label: label,
            message: event.message.description,
            metadata: texts,
            text: parts.joined(separator: " ")
        )
        store.lines.withLock { $0.append(line) }
    }
}
