"""The waiting room: profile updates of members that are being linked wait there for their link.

A member that is linked has two profiles in Mixpanel until the link is made, and one afterwards. So what would
be sent to them meanwhile is taken out of its window, and put into a stream of the lane's own, in the log's
order; the window goes on with everybody else, and the cursor with it. Whoever has updates in the room has
later ones behind them there, so that each profile's updates keep their order.
"""
