/// The figures of a node's webhooks.
package struct NoticeFigures: Sendable, Hashable {
    /// The number of attempts under way at webhooks that answer.
    package let quickAttempts: Int
    /// The number of attempts under way at webhooks that fail or are slow.
    package let slowAttempts: Int
    /// The number of connections to receivers that wait for their next request.
    package let keptConnections: Int
    /// The number of deliveries since the start that were not sent because of the quota.
    package let refusedDeliveries: Int
}
